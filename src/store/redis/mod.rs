//! The store for many processes.

mod builder;
mod check;
mod cluster;
pub(crate) mod codec;
mod commands;
mod inspect;
mod notify;
mod pool;
mod sentinel;
mod store;
mod wire;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use redis::{Value, aio::ConnectionLike, cmd};

pub use ::{bb8, bb8_redis, redis};

pub use self::{
    builder::RedisStoreBuilder,
    check::{Finding, FindingKind},
};
use self::{
    commands::{Backend, Commands, ServerReply},
    pool::Observed,
};
use super::StoreError;
use crate::config::ConfigError;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_IN_FLIGHT: usize = 4096;

/// Keeps claims and records in Redis 7.0 or newer, or Valkey.
///
/// ```
/// use actix_web_idempotency::{ApiLock, RedisStore};
///
/// // Needs no server yet; `store.ping().await?` in `main` would ask for one.
/// let store = RedisStore::new("redis://127.0.0.1/")?;
/// let lock = ApiLock::new(store, |req| req.path().to_owned());
/// # Ok::<_, actix_web_idempotency::ConfigError>(())
/// ```
///
/// | topology | how |
/// |---|---|
/// | one server | [`new`](Self::new) with a `redis://` URL, which also holds a user (ACL), password and database; the [guide](crate::guide::redis#rights) has the rights that a user needs |
/// | a unix socket | `new` with a `redis+unix://` URL |
/// | TLS, on each of these | `rediss://` URLs and the feature `redis-rustls`; [`certificate_authority`], [`client_certificate`] |
/// | Sentinel | [`RedisStore::sentinel`], by the master's name and the URLs of some sentinels |
/// | Redis Cluster | [`RedisStore::cluster`], by the URLs of some nodes |
/// | a pool of your own | [`from_pool`](Self::from_pool) |
///
/// [`certificate_authority`]: RedisStoreBuilder#method.certificate_authority
/// [`client_certificate`]: RedisStoreBuilder#method.client_certificate
///
/// * **Connections:** one per runtime that uses the store, that is one per actix worker, plus one
///   for background work, and one for wake-ups once somebody waits or has called
///   [`check`](Self::check); on a cluster, that many to each primary; with Sentinel, one more to each
///   sentinel. A process with eight workers has ten, on a cluster of three primaries thirty, and one
///   more to each server once `main` has called `ping` or `check`. Opened at first need, shared by
///   all requests of the worker, replaced when it breaks. There is no ping per use.
/// * **Lost connections:** a call whose connection ends before the reply is sent once more on a new one,
///   within the same time limit. So is a call over which nothing has come for a third of the limit while a
///   new connection can be opened: the network has forgotten the old one. Claims are recognised by their
///   token. [TCP keepalive](RedisStoreBuilder::tcp_keepalive) is on.
/// * **Bounds:** every call ends within the [timeout](RedisStoreBuilder::timeout), 500 ms. While
///   the server cannot be reached, calls fail at once; one at a time tries again, after 50 ms at
///   first and a second at last. When [too many](RedisStoreBuilder::max_in_flight) wait for an
///   answer already, further ones fail at once.
/// * **Time:** the server's clock alone; it ends leases, and gives the fence.
/// * **Round trips:** one to lock, one to release, one to be refused.
/// * **Wake-ups:** completions are published to those who wait (sharded, `SPUBLISH`). A user
///   without the permission for channels, a lost subscription or a pool of your own cost the push
///   and nothing else: who waits looks ten times a second instead.
///
/// Tested with Redis 7.0 and Valkey 8.0; with Redis 8.2 all but TLS.
///
/// # What survives what
///
/// The stores differ in nothing but this, so begin with the first that survives what you cannot do
/// without, and move on by changing one line. Keys are not taken along: change it while nothing is
/// in flight, or accept that repetitions of earlier requests run again.
///
/// | | many processes | survives | can lose |
/// |---|---|---|---|
/// | [`MemoryStore`] | no | a panic, a client that leaves | all keys, when the process ends |
/// | one Redis | yes | any application process | what was not on disk yet when the server ends: all without persistence, a second with `appendfsync everysec`; meanwhile it is away |
/// | Sentinel | yes | a server, within seconds | the moments that the replica had not received |
/// | Cluster | yes, and more load than one server takes | a primary of each shard, within seconds; the other shards go on meanwhile, with `cluster-require-full-coverage no` | the same, in the keys of that shard |
///
/// Replication is asynchronous: a claim or an answer that was confirmed can be gone after a
/// failover, and its repetition runs again. `min-replicas-to-write 1` on the servers bounds for how
/// long a master that has been cut off confirms in vain; it takes two replicas, since the one that
/// takes over needs another.
///
/// A failover by order need not lose anything. `CLUSTER FAILOVER` does not. `SENTINEL FAILOVER` lets
/// the former master go on until the sentinels name the new one, a second or two, and what it
/// confirms meanwhile is lost; `CLIENT PAUSE 10000 WRITE` on it, right before, makes that an outage
/// in which nothing is.
///
/// No store closes the gap of a failover by accident. What must never happen twice needs a unique
/// constraint where it is written down, or a resource that refuses an older
/// [fence](crate::Claim::fencing_token) than it has seen; `examples/payments_postgres` shows both.
///
/// [`MemoryStore`]: crate::MemoryStore
///
/// # Faults
///
#[doc = include_str!("faults.md")]
#[derive(Clone)]
pub struct RedisStore {
    commands: Arc<Commands>,
    /// Findings are logged once.
    checked: Arc<AtomicBool>,
}

impl RedisStore {
    /// A store on the server at this URL:
    ///
    /// * `redis://[[user]:password@]host[:port][/database]`
    /// * `rediss://..` for TLS, with the feature `redis-rustls`
    /// * `redis+unix:///path/to/socket[?db=0&user=..&pass=..]`, or `unix:///..`
    ///
    /// ```
    /// use actix_web_idempotency::RedisStore;
    ///
    /// let as_an_acl_user = RedisStore::new("redis://ann:secret@10.0.0.1:6380/3")?;
    /// let on_a_socket = RedisStore::new("redis+unix:///run/redis.sock?user=ann&pass=secret")?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the URL cannot be used. Whether a server is there shows at the first call, or with
    /// [`ping`](Self::ping).
    pub fn new(url: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// A store on a bb8 pool of your own, with any manager whose connections can be shared:
    /// `bb8_redis::RedisConnectionManager`, or redis' own for Cluster and Sentinel. Think twice about
    /// the one for Cluster: it sends a command again after a lost connection, and a lock then meets itself.
    ///
    /// The pool costs what it costs: bb8-redis asks the server before every use, and a pool that
    /// several workers share makes them wait for each other. Nothing is pushed over it, so who waits
    /// for a key looks ten times a second. While it gives no connection within a third of the time limit,
    /// because it has lent all or waits for one that the network has forgotten, the store opens one beside
    /// it for all calls. While that fails too, calls fail at once, but for the one in a second that tries
    /// again.
    ///
    /// ```
    /// use actix_web_idempotency::{
    ///     RedisStore,
    ///     store::redis::{bb8, bb8_redis::RedisConnectionManager},
    /// };
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let manager = RedisConnectionManager::new("redis://127.0.0.1/")?;
    /// let pool = bb8::Pool::builder().build_unchecked(manager);
    /// let store = RedisStore::from_pool(pool);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pool<M>(pool: bb8::Pool<M>) -> Self
    where
        M: bb8::ManageConnection,
        M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
        M::Error: fmt::Debug + Send + Sync + 'static,
    {
        let source = Backend::Pool(Box::new(Observed::new(pool, DEFAULT_TIMEOUT)));
        RedisStore::with(source, DEFAULT_TIMEOUT, DEFAULT_IN_FLIGHT)
    }

    /// Settings for a store on the server at this URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::url(url.into())
    }

    /// Settings for a store on the master that Sentinel names: as the host of its URL, which holds
    /// the user, password, database and TLS (`rediss://`) of the servers, and by the URLs of some
    /// sentinels, each with those of its own.
    ///
    /// Whenever a connection is opened all sentinels are asked at once, and twice a second in the
    /// background each of them whether it still names the same master. So a failover is followed as
    /// soon as they know of it, also one by order, of which the former master hears some ten
    /// seconds later; until then calls fail at once, as in any outage. What the replica had not
    /// received is lost, see [what survives what](Self#what-survives-what).
    ///
    /// The servers have to be reachable where the sentinels say that they are: behind a NAT, or in
    /// containers, set `sentinel announce-ip`, `replica-announce-ip` and the ports that belong to them.
    /// With TLS the servers' certificates have to be for what the sentinels say, an address as a rule,
    /// a name with `sentinel resolve-hostnames yes` and `sentinel announce-hostnames yes`.
    ///
    /// ```
    /// use actix_web_idempotency::RedisStore;
    ///
    /// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
    /// let store = RedisStore::sentinel("redis://user:pass@mymaster/0", sentinels).build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn sentinel(
        master: impl Into<String>,
        sentinels: impl IntoIterator<Item = impl Into<String>>,
    ) -> RedisStoreBuilder {
        let sentinels = sentinels.into_iter().map(Into::into).collect();
        RedisStoreBuilder::sentinel(master.into(), sentinels)
    }

    /// Settings for a store on a Redis Cluster, by the URLs of some of its nodes, which tell of the
    /// others. The user, password and TLS (`rediss://`) of the first are those of all.
    ///
    /// Every operation is about one key and goes to the node that serves it, redirections (`MOVED`,
    /// `ASK`) and failovers are followed. A node that is lost fails the calls for its keys, at once,
    /// until a replica has taken over; it keeps no others waiting. (Unless the nodes do: by default
    /// they refuse all keys while some are not served, see `cluster-require-full-coverage`.)
    ///
    /// The nodes have to be reachable where they say that they are; addresses are not translated. On
    /// nodes that are known by other addresses, behind a NAT or in containers, set one of
    ///
    /// * `cluster-announce-ip` and `cluster-announce-port` (with TLS `cluster-announce-tls-port`)
    /// * `cluster-announce-hostname` and `cluster-preferred-endpoint-type hostname`
    /// * `cluster-preferred-endpoint-type unknown-endpoint`, where all are at one host, under ports
    ///   of their own: the host is then that of the node that was asked
    ///
    /// A node that cannot be reached is named in the error, by the address that it has announced. With
    /// TLS its certificate has to be for that address, or for that name.
    ///
    /// ```
    /// use actix_web_idempotency::RedisStore;
    ///
    /// let nodes = ["redis://user:pass@10.0.0.1:6379", "redis://user:pass@10.0.0.2:6379"];
    /// let store = RedisStore::cluster(nodes).build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn cluster(nodes: impl IntoIterator<Item = impl Into<String>>) -> RedisStoreBuilder {
        RedisStoreBuilder::cluster(nodes.into_iter().map(Into::into).collect())
    }

    /// Settings for a store on a pool of your own.
    pub fn pool_builder<M>(pool: bb8::Pool<M>) -> RedisStoreBuilder
    where
        M: bb8::ManageConnection,
        M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
        M::Error: fmt::Debug + Send + Sync + 'static,
    {
        RedisStoreBuilder::pool(pool)
    }

    /// Asks the server whether it is there, new enough and open to this user, in a cluster each
    /// primary; [`check`](Self::check) asks for more.
    ///
    /// # Errors
    ///
    /// When it is not; the error says why.
    pub async fn ping(&self) -> Result<(), StoreError> {
        for reply in self
            .commands
            .call_each(&cmd("PING"), self.commands.deadline())
            .await?
        {
            match reply {
                ServerReply::Value(Value::SimpleString(_)) => {}
                reply => return Err(reply.unexpected("PING")),
            }
        }
        Ok(())
    }

    fn with(source: Backend, timeout: Duration, most_in_flight: usize) -> Self {
        Self {
            commands: Arc::new(Commands::new(source, timeout, most_in_flight)),
            checked: Arc::default(),
        }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.commands.source() {
            Backend::Own(_) => "own connections",
            Backend::Cluster(_) => "a cluster",
            Backend::Pool(_) => "the application's pool",
        };
        f.debug_struct("RedisStore")
            .field("source", &source)
            .field("timeout", &self.commands.timeout())
            .finish_non_exhaustive()
    }
}
