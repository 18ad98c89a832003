//! The store for many processes.

mod builder;
mod call;
mod check;
mod codec;
mod connection;
mod error;
mod finding;
mod foreign_pool;
mod inspection;
mod manager;
mod operations;
mod outage;
mod per_runtime;
mod pipeline;
mod scan;
mod script;
mod subscriber;
#[cfg(feature = "redis-rustls")]
mod tls;
#[cfg(not(feature = "redis-rustls"))]
#[path = "no_tls.rs"]
mod tls;
mod traffic;
mod version;
mod wake_ups;
mod watched;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use redis::{Value, aio::ConnectionLike, cmd};

pub use self::{
    builder::RedisStoreBuilder,
    finding::{Finding, FindingKind},
};
use self::{
    call::Reply,
    foreign_pool::{ForeignPool, Observed},
    per_runtime::PerRuntime,
    traffic::Traffic,
    wake_ups::WakeUps,
};
use super::StoreError;
use crate::ConfigError;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(500);
const DEFAULT_IN_FLIGHT: usize = 4096;

/// Keeps claims and records in Redis 7.0 or newer, or Valkey.
///
/// ```
/// use actix_idempotency::{ApiLock, RedisStore};
///
/// // Needs no server yet; `store.ping().await?` in `main` would ask for one.
/// let store = RedisStore::connect("redis://127.0.0.1/")?;
/// let lock = ApiLock::new(store, |req| req.path().to_owned());
/// # Ok::<_, actix_idempotency::ConfigError>(())
/// ```
///
/// * **Connections:** one per runtime that uses the store, that is one per actix worker, plus one
///   for background work, and one for wake-ups once somebody waits. Opened at first need, shared by all requests of the worker, replaced
///   when it breaks. There is no ping per use.
/// * **Bounds:** every call ends within the [timeout](RedisStoreBuilder::timeout), 500 ms. While
///   the server cannot be reached, calls fail at once; one at a time tries again, after 50 ms at
///   first and a second at last. When [too many](RedisStoreBuilder::max_in_flight) wait for an
///   answer already, further ones fail at once.
/// * **Time:** the server's clock alone; it ends leases, and gives the fence.
/// * **Round trips:** one to lock, one to release, one to be refused.
/// * **Survives:** what the server survives. Without persistence a restart forgets every key; a
///   failover can lose the last moments.
///
/// # Faults
///
#[doc = include_str!("faults.md")]
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    source: Source,
    timeout: Duration,
    traffic: Traffic,
    /// Findings are logged once.
    checked: AtomicBool,
}

/// What a store has when it opens its connections itself.
struct Own {
    connections: PerRuntime,
    wake_ups: WakeUps,
}

/// Where connections come from.
enum Source {
    Own(Box<Own>),
    Pool(Box<dyn ForeignPool>),
}

impl RedisStore {
    /// A store on the server at this URL:
    ///
    /// * `redis://[[user]:password@]host[:port][/database]`
    /// * `rediss://..` for TLS, with the feature `redis-rustls`
    /// * `redis+unix:///path/to/socket[?db=0&user=..&pass=..]`, or `unix:///..`
    ///
    /// # Errors
    ///
    /// When the URL cannot be used. Whether a server is there shows at the first call, or with
    /// [`ping`](Self::ping).
    pub fn connect(url: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// A store on a bb8 pool of your own, with any manager whose connections can be shared:
    /// `bb8_redis::RedisConnectionManager`, or redis' own for Cluster and Sentinel.
    ///
    /// The pool costs what it costs: bb8-redis asks the server before every use, and a pool that
    /// several workers share makes them wait for each other. While it has no connection to give,
    /// calls fail at once, but for the one in a second that finds out whether it has.
    ///
    /// ```
    /// use actix_idempotency::{RedisStore, bb8, bb8_redis::RedisConnectionManager};
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
        let source = Source::Pool(Box::new(Observed::new(pool)));
        RedisStore::with(source, DEFAULT_TIMEOUT, DEFAULT_IN_FLIGHT)
    }

    /// Settings for a store on the server at this URL.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::url(url.into())
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

    /// Asks the server whether it is there, new enough and open to this user; [`check`](Self::check)
    /// asks for more.
    ///
    /// # Errors
    ///
    /// When it is not; the error says why.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self.call(&cmd("PING"), self.deadline()).await? {
            Reply::Value(Value::SimpleString(_)) => Ok(()),
            reply => Err(reply.unexpected("PING")),
        }
    }

    fn with(source: Source, timeout: Duration, most_in_flight: usize) -> Self {
        Self(Arc::new(Inner {
            source,
            timeout,
            traffic: Traffic::new(most_in_flight),
            checked: AtomicBool::new(false),
        }))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.0.source {
            Source::Own(_) => "own connections",
            Source::Pool(_) => "the application's pool",
        };
        f.debug_struct("RedisStore")
            .field("source", &source)
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}
