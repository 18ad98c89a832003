//! A real Redis server of a test's own.

use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use actix_web_idempotency::{RedisStore, store::redis::redis};
use tempfile::TempDir;

use super::{GENEROUS, eventually};

/// A private server on a free port and a unix socket. It ends when this is dropped.
pub(crate) struct Redis {
    dir: TempDir,
    port: u16,
    tls_port: Option<u16>,
    options: Vec<String>,
    server: Child,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more options, as on the command line: `["--requirepass", "x"]`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let dir = TempDir::with_prefix("idempotency-").unwrap();
        // Another process may take a port before the server does; then the next ones serve.
        for _ in 0..10 {
            let port = free_port();
            let options: Vec<_> = options.iter().map(|option| chosen(option)).collect();
            if let Some(server) = launch(&dir, port, &options) {
                return Self {
                    dir,
                    port,
                    tls_port: None,
                    options,
                    server,
                };
            }
        }
        panic!("{} does not start", program());
    }

    /// With a second port that speaks TLS, if there are options for it.
    pub(crate) fn with_tls(tls: &[&str], more: &[&str]) -> Self {
        if tls.is_empty() {
            return Self::with(more);
        }
        let mut server = Self::with(&[&["--tls-port", ANY_PORT], tls, more].concat());
        server.tls_port = server.options[1].parse().ok();
        server
    }

    pub(crate) fn tls_url(&self) -> String {
        format!("rediss://127.0.0.1:{}/", self.tls_port.unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The port by which other servers know it: that for TLS, if there is one.
    pub(crate) fn known_port(&self) -> u16 {
        self.tls_port.unwrap_or(self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn unix_url(&self) -> String {
        format!(
            "redis+unix://{}",
            self.dir.path().join("redis.sock").display()
        )
    }

    /// A store with time enough on a busy machine.
    pub(crate) fn store(&self) -> RedisStore {
        let store = RedisStore::builder(self.url());
        store.timeout(GENEROUS).build().unwrap()
    }

    /// A store with the time limit that it has by default, for tests that are about it.
    pub(crate) fn default_store(&self) -> RedisStore {
        RedisStore::new(self.url()).unwrap()
    }

    /// Runs one command and returns its reply.
    pub(crate) fn command(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut self.connection()).unwrap()
    }

    pub(crate) fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_connection().unwrap()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        redis::from_redis_value(self.command(&["KEYS", "*"])).unwrap()
    }

    /// What somebody has subscribed to.
    pub(crate) fn channels(&self) -> Vec<String> {
        redis::from_redis_value(self.command(&["PUBSUB", "SHARDCHANNELS"])).unwrap()
    }

    /// Waits until there are no keys, at most `limit`.
    pub(crate) fn wait_until_empty(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.keys().is_empty() {
            assert!(Instant::now() < end, "{:?} are still there", self.keys());
            sleep(Duration::from_millis(5));
        }
    }

    /// How often a command has been called.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        self.stat(command, "calls=")
    }

    /// How often a command was refused before it ran.
    pub(crate) fn refused(&self, command: &str) -> u64 {
        self.stat(command, "rejected_calls=")
    }

    fn stat(&self, command: &str, name: &str) -> u64 {
        let stats: String =
            redis::from_redis_value(self.command(&["INFO", "commandstats"])).unwrap();
        let line = stats.lines().find_map(|line| {
            let (of, stats) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            (of == command).then_some(stats)
        });
        let mut stats = line.unwrap_or_default().split(',');
        let value = stats.find_map(|stat| stat.strip_prefix(name));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// What a server says of its replication under this name; `None` while it cannot be asked, as
    /// when it changes its role.
    pub(crate) fn replication(&self, name: &str) -> Option<String> {
        let client = redis::Client::open(self.url()).unwrap();
        let mut info = redis::cmd("INFO");
        let asked = client
            .get_connection()
            .and_then(|mut connection| info.arg("replication").query(&mut connection));
        let told: String = asked.ok()?;
        let mut lines = told.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(of, _)| *of == name)?;
        Some(value.to_owned())
    }

    /// Returns when this replica has carried out all that its master has by now.
    pub(crate) async fn hears_of_all(&self, master: &Redis) {
        let offset = |of: &Redis| -> Option<u64> {
            let told = of.replication("master_repl_offset")?;
            told.parse().ok()
        };
        let all = offset(master).unwrap();
        eventually("the replica has heard of all", async || {
            offset(self).is_some_and(|heard| heard >= all)
        })
        .await;
    }

    /// Stops the process where it stands; it keeps its sockets and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Starts again on the same port, without data unless its options keep it.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let end = Instant::now() + Duration::from_secs(10);
        self.server = loop {
            if let Some(server) = launch(&self.dir, self.port, &self.options) {
                break server;
            }
            assert!(Instant::now() < end, "{} does not start again", program());
        };
    }

    fn signal(&self, name: &str) {
        // The shell's own kill, which is there where the program is not.
        let kill = format!("kill -{name} {}", self.server.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The program that is tested: `redis-server`, unless `REDIS_SERVER` names another.
pub(crate) fn program() -> String {
    std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// Stands for a free port among the options of a server.
pub(crate) const ANY_PORT: &str = "any port";

fn chosen(option: &str) -> String {
    match option {
        ANY_PORT => free_port().to_string(),
        option => option.to_owned(),
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a server and waits until it answers; `None` when it ends instead.
fn launch(dir: &TempDir, port: u16, options: &[String]) -> Option<Child> {
    let mut server = Command::new(program())
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args([
            "--unixsocket",
            "redis.sock",
            "--save",
            "",
            "--appendonly",
            "no",
        ])
        .args(["--logfile", "redis.log"])
        .args(options)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|err| panic!("{}: {err}; tests/run installs it", program()));
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        if server.try_wait().unwrap().is_some() {
            let log = std::fs::read_to_string(dir.path().join("redis.log"));
            eprintln!("{} ended: {}", program(), log.unwrap_or_default());
            return None;
        }
        if is_ready(&dir.path().join("redis.sock")) {
            return Some(server);
        }
        sleep(Duration::from_millis(5));
    }
    let _ = server.kill();
    let _ = server.wait();
    None
}

/// Whether a server answers here and has loaded its data. Asked over its unix socket: its port may
/// belong to another program, in which case it ends.
fn is_ready(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut answer = [0; 7];
    let answered = stream
        .write_all(b"PING\r\n")
        .and_then(|()| stream.read_exact(&mut answer));
    answered.is_ok() && matches!(&answer, b"+PONG\r\n" | b"-NOAUTH")
}
