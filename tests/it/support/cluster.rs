//! A Redis Cluster of a test's own.

use std::time::Duration;

use actix_web_idempotency::{
    RedisStore,
    store::{
        StoreKey,
        redis::{RedisStoreBuilder, redis},
    },
};

use super::{
    GENEROUS, eventually_within,
    redis::{ANY_PORT, Redis},
};

const SLOTS: usize = 16384;
/// Much more than a cluster takes to settle on a machine that does nothing else.
pub(crate) const SETTLED: Duration = Duration::from_secs(60);

/// Three primaries with a third of the slots each, and a replica for the first of them.
pub(crate) struct Cluster {
    pub(crate) primaries: Vec<Redis>,
    pub(crate) replica: Redis,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// With options for TLS they know each other by it alone. Tests can still ask without.
    pub(crate) async fn start_with(tls: &[&str], more: &[&str]) -> Self {
        let primaries: Vec<_> = (0..3).map(|_| node(tls, more)).collect();
        let replica = node(tls, more);
        for (n, primary) in primaries.iter().enumerate() {
            let (first, last) = (n * SLOTS / 3, (n + 1) * SLOTS / 3 - 1);
            let range = [first.to_string(), last.to_string()];
            primary.command(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
            // Or all begin at the same, and have to settle who is right.
            let epoch = (n + 1).to_string();
            primary.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
        let first = &primaries[0];
        for other in primaries[1..].iter().chain([&replica]) {
            let (port, bus) = (other.known_port().to_string(), bus_port(other));
            first.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self { primaries, replica };
        cluster.wait_for("cluster_known_nodes:4").await;
        let id = id(&cluster.primaries[0]);
        cluster.replica.command(&["CLUSTER", "REPLICATE", &id]);
        cluster.wait_for("cluster_state:ok").await;
        eventually_within(SETTLED, "the replica has the primary's data", async || {
            cluster.replica.replication("master_link_status").as_deref() == Some("up")
        })
        .await;
        eventually_within(SETTLED, "all know of the replica", async || {
            cluster
                .all()
                .all(|node| text(node, &["CLUSTER", "NODES"]).contains("slave "))
        })
        .await;
        cluster
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Redis> {
        self.primaries.iter().chain([&self.replica])
    }

    async fn wait_for(&self, state: &str) {
        eventually_within(SETTLED, state, async || {
            self.all()
                .all(|node| text(node, &["CLUSTER", "INFO"]).contains(state))
        })
        .await;
    }

    /// By two of its nodes; the others have to be found.
    pub(crate) fn builder(&self) -> RedisStoreBuilder {
        RedisStore::cluster([self.primaries[1].url(), self.primaries[0].url()])
    }

    pub(crate) fn store(&self) -> RedisStore {
        self.builder().timeout(GENEROUS).build().unwrap()
    }

    /// Which of the primaries a key begins with.
    pub(crate) fn home(&self, key: &StoreKey) -> usize {
        usize::from(self.slot(key)) * 3 / SLOTS
    }

    pub(crate) fn slot(&self, key: &StoreKey) -> u16 {
        let slot = self.primaries[1].command(&["CLUSTER", "KEYSLOT", &key.to_string()]);
        redis::from_redis_value(slot).unwrap()
    }

    /// Puts a slot on its way: keys that are not there any more are asked for at the other.
    pub(crate) fn begin_to_move(&self, slot: u16, from: &Redis, to: &Redis) {
        let slot = slot.to_string();
        to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
        from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
    }

    /// Moves what is left in the slot, and the slot.
    pub(crate) fn end_move(&self, slot: u16, from: &Redis, to: &Redis) {
        let slot = slot.to_string();
        let port = to.port().to_string();
        let keys = from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
        let keys: Vec<String> = redis::from_redis_value(keys).unwrap();
        for key in &keys {
            from.command(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
        }
        for node in [to, from] {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
        }
    }
}

fn node(tls: &[&str], more: &[&str]) -> Redis {
    let options = [
        ["--cluster-enabled", "yes"],
        ["--cluster-port", ANY_PORT],
        ["--cluster-node-timeout", "1000"],
        ["--cluster-require-full-coverage", "no"],
        ["--repl-diskless-sync-delay", "0"],
    ];
    Redis::with_tls(tls, &[&options.concat(), more].concat())
}

fn bus_port(node: &Redis) -> String {
    let answer = node.command(&["CONFIG", "GET", "cluster-port"]);
    let (_name, port): (String, String) = redis::from_redis_value(answer).unwrap();
    port
}

fn id(node: &Redis) -> String {
    text(node, &["CLUSTER", "MYID"])
}

fn text(node: &Redis, words: &[&str]) -> String {
    redis::from_redis_value(node.command(words)).unwrap()
}
