//! The store for many processes: [`RedisStore`], its settings, and the crates of its pools.

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
    pool::{FromFn, Observed},
};
use super::StoreError;
use crate::config::ConfigError;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_IN_FLIGHT: usize = 4096;

/// Stores claims and records in Redis 7.0 or newer, or Valkey.
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
/// | one server | [`new`](Self::new) with a `redis://` URL, which can name a user (ACL), password and database |
/// | a unix socket | `new` with a `redis+unix://` URL |
/// | TLS, on each of these | `rediss://` URLs and the feature `redis-rustls`; [`certificate_authority`], [`client_certificate`] |
/// | Sentinel | [`RedisStore::sentinel`], by the master's name and the URLs of some sentinels |
/// | Redis Cluster | [`RedisStore::cluster`], by the URLs of some nodes |
/// | the application's bb8 pool | [`from_pool`](Self::from_pool) |
/// | any other pool or connection of the application's, such as deadpool's | [`from_connections`](Self::from_connections) |
///
/// [`certificate_authority`]: RedisStoreBuilder#method.certificate_authority
/// [`client_certificate`]: RedisStoreBuilder#method.client_certificate
///
/// * **Connections:** one per actix worker, one for background work, and one for notifications; on a cluster,
///   that many to each primary. Opened at first need, shared by all requests of a worker, replaced when they
///   break. [How many that makes](crate::guide::redis#connections).
/// * **Lost connections:** a call whose connection is lost is sent once more on a new one, within the same time
///   limit; claims are recognised by their token. [TCP keepalive](RedisStoreBuilder::tcp_keepalive) is on.
/// * **Time limit:** every call ends within the [timeout](RedisStoreBuilder::timeout), 500 ms. While the server
///   cannot be reached, calls fail at once; one at a time tries again, after 50 ms at first and every second at
///   last.
/// * **Clock:** the server's alone. It ends leases, and gives fencing tokens.
/// * **Round trips:** one to claim, one to finish, one to be refused or replayed.
/// * **Notifications:** the end of a claim is published to waiting duplicates (sharded, `SPUBLISH`). Without
///   the right to channels, without a subscription, or on the application's pool, duplicates poll ten times a
///   second instead.
///
/// Tested with Redis 7.0 and Valkey 8.0; with Redis 8.2 all but TLS. Rights, clocks, Sentinel, Cluster, and how
/// to look at a key: [Redis in production](crate::guide::redis).
///
/// # What survives what
///
/// The stores differ in nothing else, so begin with the first that survives what you cannot do without, and
/// move on by changing one line. Keys are not taken along: change it while nothing is in flight, or accept that
/// retries of earlier requests run again.
///
/// | store | many processes | survives | can lose |
/// |---|---|---|---|
/// | [`MemoryStore`] | no | a panic, a client that disconnects | all keys, when the process ends |
/// | one Redis | yes | any application process | what was not on disk yet when the server ends: all without persistence, a second with `appendfsync everysec`; meanwhile it is away |
/// | Sentinel | yes | a server, within seconds | the moments that the replica had not received |
/// | Cluster | yes, and more load than one server takes | a primary of each shard, within seconds; the other shards go on meanwhile, with `cluster-require-full-coverage no` | the same, in the keys of that shard |
///
/// Replication is asynchronous: a claim or a record that was confirmed can be gone after a failover, and its
/// retry runs again. `min-replicas-to-write 1` bounds for how long a master that has been cut off confirms
/// writes that will be lost; it takes two replicas, since the one that takes over needs another. A planned
/// failover need not lose anything: [replacing a master](crate::guide::redis#replacing-a-master).
///
/// Redis cannot close the gap of an unplanned failover. If an effect must never happen twice, enforce it with a
/// unique constraint, or with a resource that refuses an older [fencing token](crate::Claim::fencing_token)
/// than it has seen; or keep the keys [where the rows are](crate::guide::exactly_once).
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
    /// Returns a store on the server at this URL. It does not connect:
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

    /// Returns a store on the application's bb8 pool, with any manager whose connections can be shared:
    /// `bb8_redis::RedisConnectionManager`, or redis' own for Cluster and Sentinel. The one for Cluster sends a
    /// command again after a lost connection, and a lock then meets itself.
    ///
    /// bb8-redis asks the server before every use, and workers that share a pool wait for each other. There are
    /// no notifications over it, so waiting duplicates poll ten times a second. If the pool gives no connection
    /// within a third of the time limit, because it has lent all or waits for one that the network has dropped,
    /// the store opens one beside it for all calls. If that fails too, calls fail at once, except one per
    /// second that tries again.
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

    /// Returns a store over connections of the application's: a closure gives one for each call. That fits every pool and
    /// connection whose type is `ConnectionLike` and `Clone`, of the version of [`redis`] that is
    /// re-exported: deadpool-redis, `ConnectionManager`, a multiplexed connection.
    ///
    /// What holds for [`from_pool`](Self::from_pool) holds here, too. The closure is called for each call to the store, so
    /// it should give what is there. Its connections must recover: when one was lost the closure is asked again, and what
    /// it gives then is used by all calls for a second. It has the store's time limit; what it returns later is used for
    /// the next calls.
    ///
    /// ```
    /// use actix_web_idempotency::{RedisStore, store::redis::redis::aio::MultiplexedConnection};
    /// use deadpool_redis::{Config, Runtime};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = Config::from_url("redis://127.0.0.1/").create_pool(Some(Runtime::Tokio1))?;
    /// let store = RedisStore::from_connections(move || {
    ///     let pool = pool.clone();
    ///     async move {
    ///         let lent = pool.get().await;
    ///         lent.map(|connection| MultiplexedConnection::clone(&connection))
    ///     }
    /// });
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_connections<F, G, C, E>(connection: F) -> Self
    where
        F: Fn() -> G + Send + Sync + 'static,
        G: Future<Output = Result<C, E>> + Send + 'static,
        C: ConnectionLike + Clone + Send + Sync + 'static,
        E: fmt::Debug + 'static,
    {
        let source = Backend::Pool(Box::new(Observed::new(FromFn(connection), DEFAULT_TIMEOUT)));
        RedisStore::with(source, DEFAULT_TIMEOUT, DEFAULT_IN_FLIGHT)
    }

    /// Returns a builder for a store on the server at this URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::url(url.into())
    }

    /// Returns a builder for a store on the master that Sentinel names. The master's URL has the master's name
    /// as its host, and the user, password, database and TLS (`rediss://`) of the servers; each sentinel's URL
    /// has its own.
    ///
    /// A failover is followed as soon as the sentinels know of it; until then calls fail at once, as in any
    /// outage. What the replica had not received is lost: [what survives what](Self#what-survives-what).
    /// Addresses and certificates: [Sentinel](crate::guide::redis#sentinel).
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

    /// Returns a builder for a store on a Redis Cluster, by the URLs of some of its nodes, which name the
    /// others. The user, password and TLS (`rediss://`) of the first are those of all.
    ///
    /// Every operation is about one key and goes to the node that serves it. Redirections (`MOVED`, `ASK`) and
    /// failovers are followed. If a node is lost, calls for its keys fail at once until a replica has taken
    /// over. Addresses and certificates: [Cluster](crate::guide::redis#cluster).
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

    /// Returns a builder for a store on the application's pool.
    pub fn pool_builder<M>(pool: bb8::Pool<M>) -> RedisStoreBuilder
    where
        M: bb8::ManageConnection,
        M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
        M::Error: fmt::Debug + Send + Sync + 'static,
    {
        RedisStoreBuilder::pool(pool)
    }

    /// Returns a builder for a store over [connections of the application's](Self::from_connections).
    pub fn connections_builder<F, G, C, E>(connection: F) -> RedisStoreBuilder
    where
        F: Fn() -> G + Send + Sync + 'static,
        G: Future<Output = Result<C, E>> + Send + 'static,
        C: ConnectionLike + Clone + Send + Sync + 'static,
        E: fmt::Debug + 'static,
    {
        RedisStoreBuilder::connections(connection)
    }

    /// Checks that the server is there, new enough and open to this user, in a cluster each primary.
    /// [`check`](Self::check) looks at more.
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
