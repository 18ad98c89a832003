//! A master, its replica and three sentinels of a test's own.

use std::{
    cell::Cell,
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix_idempotency::{RedisStore, RedisStoreBuilder, redis};
use tempfile::TempDir;

use super::{
    eventually_within,
    redis::{Redis, free_port},
};

/// The name under which the sentinels watch the master.
pub(crate) const NAME: &str = "my_master";
/// Much more than a failover takes on a machine that does nothing else.
pub(crate) const FAILOVER: Duration = Duration::from_secs(60);

pub(crate) struct Fleet {
    pub(crate) master: Redis,
    pub(crate) replica: Redis,
    pub(crate) sentinels: Vec<Sentinel>,
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        let master = Redis::start();
        let port = master.port().to_string();
        let replica = Redis::with(&[
            "--replicaof",
            "127.0.0.1",
            &port,
            "--repl-diskless-sync-delay",
            "0",
        ]);
        eventually_within(FAILOVER, "the replica has the master's data", async || {
            replica.replication("master_link_status").as_deref() == Some("up")
        })
        .await;
        let sentinels: Vec<_> = (0..3).map(|_| Sentinel::start(master.port())).collect();
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
        self.builder().build().unwrap()
    }

    /// Has the replica take over, although the master is well.
    pub(crate) fn order_failover(&self) {
        let order = ["SENTINEL", "FAILOVER", NAME];
        self.sentinels[0].ask(&order).unwrap();
    }

    /// Returns when all sentinels name the replica as the master, and tells when last none did.
    pub(crate) async fn replica_is_named(&self) -> Instant {
        let none_did = Cell::new(Instant::now());
        eventually_within(FAILOVER, "the replica takes over", async || {
            let asked = Instant::now();
            let is_named = |one: &Sentinel| one.master() == Some(self.replica.port());
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
        let port = self.replica.port().to_string();
        self.master.command(&["REPLICAOF", "127.0.0.1", &port]);
        self.master.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
}

/// It ends when this is dropped.
pub(crate) struct Sentinel {
    port: u16,
    process: Child,
    _dir: TempDir,
}

impl Sentinel {
    fn start(master: u16) -> Self {
        let dir = TempDir::with_prefix("idempotency-").unwrap();
        let port = free_port();
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("sentinel monitor {NAME} 127.0.0.1 {master} 2"),
            format!("sentinel down-after-milliseconds {NAME} 500"),
            format!("sentinel failover-timeout {NAME} 3000"),
        ];
        let config = dir.path().join("sentinel.conf");
        fs::write(&config, lines.join("\n")).unwrap();
        let process = Command::new("redis-server")
            .arg(&config)
            .arg("--sentinel")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed; tests/run does that");
        Self {
            port,
            process,
            _dir: dir,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
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
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
