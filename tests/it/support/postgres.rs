//! A real PostgreSQL, of a test's own or shared by all.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use actix_web_idempotency_sqlx::{
    PgStore,
    sqlx::{AssertSqlSafe, PgPool, PgTransaction, postgres::PgPoolOptions, query},
};
use tempfile::TempDir;

use super::{GENEROUS, eventually, redis::free_port};

const MISSING: &str = "PostgreSQL is installed: apt-get install postgresql; tests/run does that";
const LIMIT: Duration = Duration::from_secs(30);

/// A private server on a free port and a unix socket. It ends when this is dropped.
pub(crate) struct Postgres {
    dir: TempDir,
    port: u16,
    options: Vec<String>,
    server: Child,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With more options, as on the command line: `["-c", "autovacuum=off"]`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let dir = TempDir::with_prefix("idempotency-").unwrap();
        let account = Account::of_servers();
        if let Some(account) = account {
            account.owns(dir.path());
        }
        let copied = Command::new("cp")
            .args(["-a", "--"])
            .arg(TEMPLATE.path().join("data"))
            .arg(dir.path())
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
        Self::launched(dir, account, options)
    }

    fn launched(dir: TempDir, account: Option<Account>, options: &[&str]) -> Self {
        // Another process may take the port before the server does; then the next one serves.
        for _ in 0..10 {
            let port = free_port();
            if let Some(server) = launch(&dir, account, port, options) {
                let options = options.iter().map(|&option| option.to_owned()).collect();
                return Self {
                    dir,
                    port,
                    options,
                    server,
                };
            }
        }
        panic!("postgres does not start");
    }

    /// A standby of this server, which follows it.
    pub(crate) fn standby(&self) -> Self {
        let dir = TempDir::with_prefix("idempotency-").unwrap();
        let account = Account::of_servers();
        if let Some(account) = account {
            account.owns(dir.path());
        }
        let copied = command("pg_basebackup", &dir, account)
            .args([
                "--pgdata=data",
                "--write-recovery-conf",
                "--checkpoint=fast",
            ])
            .args(["--host=127.0.0.1", "--username=postgres", "--no-sync"])
            .arg(format!("--port={}", self.port))
            .output()
            .expect(MISSING);
        assert!(copied.status.success(), "{copied:?}");
        Self::launched(dir, account, &[])
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        assert_eq!(self.query("SELECT pg_promote()"), "t");
    }

    /// Waits until a standby has received all that this server has written by now.
    pub(crate) async fn is_followed_by(&self, standby: &Self) {
        let written = self.query("SELECT pg_current_wal_flush_lsn()");
        let has_replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        eventually("the standby follows", async || {
            standby.query(&has_replayed) == "t"
        })
        .await;
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// Its URL where it is reached by another port.
    pub(crate) fn url_at(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// Ends it as a power failure does, with all its processes.
    pub(crate) fn kill(&mut self) {
        self.signal_all("-KILL");
        self.server.wait().unwrap();
    }

    /// Starts it again, at its port.
    pub(crate) fn restart(&mut self) {
        let account = Account::of_servers();
        let _ = fs::remove_file(self.dir.path().join("data/postmaster.pid"));
        let options: Vec<_> = self.options.iter().map(String::as_str).collect();
        let server = launch(&self.dir, account, self.port, &options);
        self.server = server.expect("its port is free");
    }

    /// Stops it in its tracks, and lets it go on.
    pub(crate) fn freeze(&self) {
        self.signal_all("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal_all("-CONT");
    }

    /// Each session is a process of its own.
    fn signal_all(&self, signal: &str) {
        let server = self.server.id();
        let ids = [server].into_iter().chain(children_of(server));
        let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
        Command::new("kill").arg(signal).args(ids).status().unwrap();
    }

    /// Runs one statement and returns what psql prints, columns separated by `|`.
    pub(crate) fn query(&self, sql: &str) -> String {
        let output = psql(&self.dir, self.port, sql);
        assert!(output.status.success(), "{sql}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A new cluster, of which each server has a copy: to make one takes a second of a core.
static TEMPLATE: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = TempDir::with_prefix("idempotency-").unwrap();
    let account = Account::of_servers();
    if let Some(account) = account {
        account.owns(dir.path());
    }
    let made = command("initdb", &dir, account)
        .args(["--pgdata=data", "--username=postgres", "--auth=trust"])
        .args([
            "--no-sync",
            "--no-locale",
            "--encoding=UTF8",
            "--wal-segsize=1",
        ])
        .output()
        .expect(MISSING);
    assert!(made.status.success(), "{made:?}");
    after_this_process(&[], dir.path());
    dir
});

/// The server that tests share which need nothing but a table.
static SHARED: LazyLock<Postgres> = LazyLock::new(|| {
    let postgres = Postgres::start();
    after_this_process(&[postgres.server.id().to_string()], postgres.dir.path());
    postgres
});

/// A table of a test's own on the shared server, and a store in it.
pub(crate) struct PostgresTable {
    pub(crate) name: String,
    pub(crate) pool: PgPool,
    pub(crate) store: PgStore,
}

impl PostgresTable {
    pub(crate) async fn new() -> Self {
        Self::on(PgPoolOptions::new().connect_lazy(&SHARED.url()).unwrap()).await
    }

    /// On a server of the test's own.
    pub(crate) async fn on_server(postgres: &Postgres) -> Self {
        Self::on(PgPoolOptions::new().connect_lazy(&postgres.url()).unwrap()).await
    }

    /// By way of a pool of the test's own.
    pub(crate) async fn on(pool: PgPool) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keys_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let store = PgStore::builder(pool.clone()).table(&name);
        let store = store.timeout(GENEROUS).build().unwrap();
        store.migrate().await.unwrap();
        Self { name, pool, store }
    }

    /// A store in the same table whose calls end soon.
    pub(crate) fn with_short_timeout(&self) -> PgStore {
        self.with_timeout(Duration::from_millis(200))
    }

    /// A store in the same table whose calls end in time.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> PgStore {
        let store = PgStore::builder(self.pool.clone()).table(&self.name);
        store.timeout(timeout).build().unwrap()
    }

    /// Locks the table, so that every other statement waits.
    pub(crate) async fn lock(&self, transaction: &mut PgTransaction<'static>) {
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", self.name);
        let locked = query(AssertSqlSafe(lock)).execute(&mut **transaction);
        locked.await.unwrap();
    }

    /// Ends the connections of this test, of which the last statement names its table.
    pub(crate) fn end_connections(&self) {
        let end = format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE query LIKE '%{}%' AND pid <> pg_backend_pid()",
            self.name
        );
        SHARED.query(&end);
    }

    /// The server.
    pub(crate) fn server() -> &'static Postgres {
        &SHARED
    }

    /// The keys that have a row.
    pub(crate) fn keys(&self) -> Vec<String> {
        let keys = SHARED.query(&format!("SELECT key FROM {}", self.name));
        keys.lines().map(str::to_owned).collect()
    }
}

/// Has a server ended, and its folder removed, after this process, which does not drop them.
#[allow(clippy::zombie_processes, reason = "it waits for the end of this one")]
fn after_this_process(server: &[String], dir: &Path) {
    let mut last = Command::new("sh")
        .args(["-c", LAST_RITES, "sh"])
        .arg(dir)
        .args(server)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed with this process.
    std::mem::forget(last.stdin.take());
}

/// Waits until the other end of its standard input is closed.
const LAST_RITES: &str = r#"
    read -r never
    if [ $# -gt 1 ]; then
        kill -QUIT "$2"
        while kill -0 "$2" 2>/dev/null; do sleep 0.1; done
    fi
    rm -rf "$1"
"#;

impl Drop for Postgres {
    fn drop(&mut self) {
        if !matches!(self.server.try_wait(), Ok(None)) {
            return;
        }
        // The way that ends its children, too, and leaves no shared memory behind.
        let quit = format!("kill -QUIT {}", self.server.id());
        let _ = Command::new("sh").args(["-c", &quit]).status();
        let end = Instant::now() + LIMIT;
        while matches!(self.server.try_wait(), Ok(None)) && Instant::now() < end {
            sleep(Duration::from_millis(5));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The processes that a process has started.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // Behind the name, which may contain anything: the state, and the parent.
        let rest = stat.rsplit_once(") ").map(|(_, rest)| rest);
        let of = rest.and_then(|rest| rest.split(' ').nth(1));
        of.is_some_and(|of| of == parent.to_string())
    };
    ids.filter(is_child).collect()
}

/// Whose processes the servers are.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// One's own, but for root, whom PostgreSQL refuses: the one that its package has made.
    pub(crate) fn of_servers() -> Option<Self> {
        let id = |args: &[&str]| -> u32 {
            let output = Command::new("id").args(args).output().unwrap();
            let id = String::from_utf8(output.stdout).unwrap();
            id.trim().parse().expect(MISSING)
        };
        (id(&["-u"]) == 0).then(|| Self {
            user: id(&["-u", "postgres"]),
            group: id(&["-g", "postgres"]),
        })
    }

    pub(crate) fn owns(self, path: &Path) {
        chown(path, Some(self.user), Some(self.group)).unwrap();
    }

    pub(crate) fn runs(self, command: &mut Command) {
        command.uid(self.user).gid(self.group);
    }
}

/// A program of PostgreSQL, which Debian keeps out of PATH, to be run in this folder.
fn command(program: &str, dir: &TempDir, account: Option<Account>) -> Command {
    let mut command = Command::new(newest_bin().join(program));
    command.current_dir(dir.path()).stdin(Stdio::null());
    if let Some(account) = account {
        account.runs(&mut command);
    }
    command
}

fn newest_bin() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let bins = versions.filter_map(|version| {
        let path = version.ok()?.path();
        let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let bin = path.join("bin");
        bin.join("initdb").exists().then_some((number, bin))
    });
    bins.max().map(|(_, bin)| bin).unwrap_or_default()
}

/// Starts a server and waits until it answers; `None` when it ends instead.
fn launch(dir: &TempDir, account: Option<Account>, port: u16, options: &[&str]) -> Option<Child> {
    let log = dir.path().join("postgres.log");
    let mut server = command("postgres", dir, account)
        .args(["-D", "data", "-h", "127.0.0.1", "-p", &port.to_string()])
        .args(["-k", &dir.path().display().to_string()])
        .arg("-F")
        .args(["-c", "shared_buffers=16MB"])
        .args(["-c", "max_connections=300"])
        .args(options)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .expect(MISSING);
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        if server.try_wait().unwrap().is_some() {
            eprintln!("postgres ended: {}", read(&log));
            return None;
        }
        if psql(dir, port, "SELECT 1").status.success() {
            return Some(server);
        }
        sleep(Duration::from_millis(20));
    }
    let _ = server.kill();
    let _ = server.wait();
    panic!("postgres does not answer: {}", read(&log));
}

fn read(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

/// Asked over its unix socket: its port may belong to another program, in which case it ends.
fn psql(dir: &TempDir, port: u16, sql: &str) -> std::process::Output {
    command("psql", dir, None)
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres"])
        .args(["-p", &port.to_string(), "-c", sql, "postgres", "-h"])
        .arg(dir.path())
        .output()
        .expect(MISSING)
}
