//! A master, its replica and three sentinels of a test's own.

use std::{
    cell::Cell,
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use actix_web_idempotency::{
    RedisStore,
    store::redis::{RedisStoreBuilder, redis},
};
use tempfile::TempDir;

use super::{
    GENEROUS, eventually_within,
    redis::{Redis, free_port, program},
};

/// The name under which the sentinels watch the master.
pub(crate) const NAME: &str = "my_master";
/// Much more than a failover takes on a machine that does nothing else.
pub(crate) const FAILOVER: Duration = Duration::from_secs(60);

/// When a failover that was ordered has been given up.
const AGAIN: Duration = Duration::from_secs(3);

pub(crate) struct Fleet {
    pub(crate) master: Redis,
    pub(crate) replica: Redis,
    pub(crate) sentinels: Vec<Sentinel>,
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With options for TLS they know each other by it alone. Tests can still ask without.
    pub(crate) async fn start_with(tls: &[&str]) -> Self {
        let master = Redis::with_tls(tls, &[]);
        let port = master.known_port().to_string();
        let replica = ["--replicaof", "127.0.0.1", &port];
        let replica = [&replica, &["--repl-diskless-sync-delay", "0"][..]].concat();
        let replica = Redis::with_tls(tls, &replica);
        eventually_within(FAILOVER, "the replica has the master's data", async || {
            replica.replication("master_link_status").as_deref() == Some("up")
        })
        .await;
        let sentinels: Vec<_> = (0..3).map(|_| Sentinel::start(&master, tls)).collect();
        eventually_within(FAILOVER, "the sentinels know all of it", async || {
            sentinels.iter().all(Sentinel::is_ready)
        })
        .await;
        Self {
            master,
            replica,
            sentinels,
        }
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Sentinel::url).collect()
    }

    pub(crate) fn builder(&self) -> RedisStoreBuilder {
        RedisStore::sentinel(format!("redis://{NAME}/"), self.urls())
    }

    pub(crate) fn store(&self) -> RedisStore {
        self.builder().timeout(GENEROUS).build().unwrap()
    }

    /// Has the replica take over, although the master is well. Asks more than once, because Sentinel
    /// gives a failover up that takes longer than it should, as on a busy machine; while one is under
    /// way it refuses another.
    pub(crate) async fn order_failover(&self) {
        let ordered = Cell::new(None);
        eventually_within(FAILOVER, "the replica is promoted", async || {
            if ordered.get().is_none_or(|at: Instant| at.elapsed() > AGAIN) {
                ordered.set(Some(Instant::now()));
                let _ = self.sentinels[0].ask(&["SENTINEL", "FAILOVER", NAME]);
            }
            self.replica.replication("role").as_deref() == Some("master")
        })
        .await;
    }

    /// The same, until everybody knows it.
    pub(crate) async fn fail_over(&self) {
        self.order_failover().await;
        self.replica_is_named().await;
    }

    /// Returns when all sentinels name the replica as the master, and tells when last none did.
    pub(crate) async fn replica_is_named(&self) -> Instant {
        let none_did = Cell::new(Instant::now());
        eventually_within(FAILOVER, "the replica takes over", async || {
            let asked = Instant::now();
            let is_named = |one: &Sentinel| one.master() == Some(self.replica.known_port());
            let count = self.sentinels.iter().filter(|one| is_named(one)).count();
            if count == 0 {
                none_did.set(asked);
            }
            count == self.sentinels.len()
        })
        .await;
        none_did.get()
    }

    /// Does what Sentinel does some seconds after it has replaced the master by order.
    pub(crate) fn demote_master(&self) {
        let port = self.replica.known_port().to_string();
        self.master.command(&["REPLICAOF", "127.0.0.1", &port]);
        self.master.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
}

/// It ends when this is dropped.
pub(crate) struct Sentinel {
    port: u16,
    tls_port: Option<u16>,
    process: Child,
    _dir: TempDir,
}

impl Sentinel {
    pub(crate) fn start(master: &Redis, tls: &[&str]) -> Self {
        let dir = TempDir::with_prefix("idempotency-").unwrap();
        let port = free_port();
        let tls_port = (!tls.is_empty()).then(free_port);
        let master = master.known_port();
        let mut lines = vec![
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("sentinel monitor {NAME} 127.0.0.1 {master} 2"),
            format!("sentinel down-after-milliseconds {NAME} 500"),
            format!("sentinel failover-timeout {NAME} 3000"),
        ];
        let tls = tls.chunks(2).map(|option| option.join(" "));
        lines.extend(tls.map(|line| line.trim_start_matches('-').to_owned()));
        lines.extend(tls_port.map(|port| format!("tls-port {port}")));
        let config = dir.path().join("sentinel.conf");
        fs::write(&config, lines.join("\n")).unwrap();
        let process = Command::new(program())
            .arg(&config)
            .arg("--sentinel")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|err| panic!("{}: {err}; tests/run installs it", program()));
        let sentinel = Self {
            port,
            tls_port,
            process,
            _dir: dir,
        };
        let end = Instant::now() + Duration::from_secs(10);
        while sentinel.master().is_none() {
            assert!(Instant::now() < end, "the sentinel does not answer");
            sleep(Duration::from_millis(5));
        }
        sentinel
    }

    pub(crate) fn url(&self) -> String {
        match self.tls_port {
            None => format!("redis://127.0.0.1:{}/", self.port),
            Some(port) => format!("rediss://127.0.0.1:{port}/"),
        }
    }

    /// The same as a user of Sentinel's own.
    pub(crate) fn url_of(&self, user: &str, password: &str) -> String {
        format!("redis://{user}:{password}@127.0.0.1:{}/", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// It knows the replica and both of the others.
    fn is_ready(&self) -> bool {
        let count = |what| match self.ask(&["SENTINEL", what, NAME]) {
            Ok(redis::Value::Array(items)) => items.len(),
            _ => 0,
        };
        count("REPLICAS") == 1 && count("SENTINELS") == 2
    }

    fn master(&self) -> Option<u16> {
        let told = self
            .ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])
            .ok()?;
        let (_host, port): (String, u16) = redis::from_redis_value(told).unwrap();
        Some(port)
    }

    /// Who is connected, and what they asked last.
    pub(crate) fn clients(&self) -> String {
        redis::from_redis_value(self.ask(&["CLIENT", "LIST"]).unwrap()).unwrap()
    }

    pub(crate) fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let url = format!("redis://127.0.0.1:{}/", self.port);
        let mut connection = redis::Client::open(url)?.get_connection()?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
