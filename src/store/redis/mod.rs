//! The store for many processes.

mod builder;
mod codec;
mod connection;
mod error;
mod foreign_pool;
mod manager;
mod outage;
mod per_runtime;
mod script;
#[cfg(feature = "redis-rustls")]
mod tls;
#[cfg(not(feature = "redis-rustls"))]
#[path = "no_tls.rs"]
mod tls;
mod version;

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use redis::{Cmd, RedisError, RedisResult, ServerErrorKind, Value, aio::ConnectionLike, cmd};
use tokio::time::{Instant, sleep, timeout_at};

pub use self::builder::RedisStoreBuilder;
use self::{
    codec::{Stored, StoredClaim},
    error::{from_redis, unexpected},
    foreign_pool::{Checked, ForeignPool},
    per_runtime::PerRuntime,
    script::Script,
};
use super::{
    Begin, ClaimId, Held, Lease, NewClaim, OnLapsed, Record, Renewed, Store, StoreError, StoreKey,
    StoreTime,
};
use crate::ConfigError;

const DEFAULT_TIMEOUT: Duration = Duration::from_millis(500);
/// How often [`Store::changed`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
///   for background work. Opened at first need, shared by all requests of the worker, replaced
///   when it breaks. There is no ping per use.
/// * **Bounds:** every call ends within the [timeout](RedisStoreBuilder::timeout), 500 ms. While
///   the server cannot be reached, calls fail at once; one at a time tries again, after 50 ms at
///   first and a second at last.
/// * **Time:** the server's clock alone; it ends leases, and gives the fence.
/// * **Round trips:** one to lock, one to release, one to be refused.
/// * **Survives:** what the server survives. Without persistence a restart forgets every key; a
///   failover can lose the last moments.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    source: Source,
    timeout: Duration,
}

/// Where connections come from.
enum Source {
    Own(PerRuntime),
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
    /// several workers share makes them wait for each other.
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
        RedisStore::with(Source::Pool(Box::new(Checked::new(pool))), DEFAULT_TIMEOUT)
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

    /// Asks the server whether it is there, new enough and open to this user.
    ///
    /// # Errors
    ///
    /// When it is not; the error says why.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self.call(&cmd("PING")).await? {
            Reply::Value(Value::SimpleString(_)) => Ok(()),
            reply => Err(reply.unexpected("PING")),
        }
    }

    fn with(source: Source, timeout: Duration) -> Self {
        Self(Arc::new(Inner { source, timeout }))
    }

    /// Sends one command, within the timeout.
    async fn call(&self, cmd: &Cmd) -> Result<Reply, StoreError> {
        let deadline = Instant::now() + self.0.timeout;
        match &self.0.source {
            Source::Own(connections) => {
                let mut connection = connections.connection(deadline).await?;
                match timeout_at(deadline, connection.send(cmd)).await {
                    Ok(reply) => Reply::of(reply),
                    Err(_elapsed) => {
                        // The server may be stopped, or the network cut without a word. Opening
                        // the next connection finds out.
                        connection.give_up();
                        Err(StoreError::timeout())
                    }
                }
            }
            Source::Pool(pool) => {
                let connection = timeout_at(deadline, pool.connection()).await;
                let mut connection = connection.map_err(|_elapsed| {
                    StoreError::unavailable("the pool had no connection in time")
                })??;
                match timeout_at(deadline, connection.req_packed_command(cmd)).await {
                    Ok(reply) => Reply::of(reply),
                    Err(_elapsed) => Err(StoreError::timeout()),
                }
            }
        }
    }

    /// Calls a script on one key. `arguments` appends what it takes.
    async fn run(
        &self,
        script: &Script,
        key: &StoreKey,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<Reply, StoreError> {
        let key = key.to_string();
        let mut call = script.by_hash(&key);
        arguments(&mut call);
        match self.call(&call).await? {
            Reply::NoScript => {
                let mut call = script.by_text(&key);
                arguments(&mut call);
                self.call(&call).await
            }
            reply => Ok(reply),
        }
    }

    async fn lock(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let mut set = cmd("SET");
        set.arg(claim.key.to_string())
            .arg(claim.token.to_hex())
            .arg("NX")
            .arg("PX")
            .arg(expiry(claim.lease));
        match self.call(&set).await? {
            Reply::Value(Value::Okay) => Ok(claimed(claim, NonZeroU32::MIN)),
            Reply::Value(Value::Nil) => Ok(locked()),
            reply => Err(reply.unexpected("SET NX")),
        }
    }

    /// The second step, when the first has met a claim with the same fingerprint.
    async fn join(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let token = claim.token.to_hex();
        let rest = codec::encode_claim_rest(claim);
        let reply = (self.run(&script::BEGIN, &claim.key, |call| {
            call.arg(&token)
                .arg(&rest)
                .arg(expiry(claim.lease.saturating_add(claim.afterlife)))
                .arg(u8::from(claim.on_lapsed == OnLapsed::TakeOver));
        }))
        .await?;
        let parts = match reply {
            Reply::Value(Value::Array(parts)) => parts,
            Reply::WrongType => return Ok(Begin::Unreadable),
            reply => return Err(reply.unexpected("begin.lua")),
        };
        let mut parts = parts.into_iter();
        let (Some(Value::BulkString(what)), second, third) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(unexpected("begin.lua", &Value::Nil));
        };
        match (what.as_slice(), second, third) {
            (b"claimed", Some(Value::Int(attempt)), None) => {
                let attempt = u32::try_from(attempt).ok().and_then(NonZeroU32::new);
                Ok(claimed(claim, attempt.unwrap_or(NonZeroU32::MAX)))
            }
            (b"live", Some(Value::BulkString(value)), Some(Value::Int(left))) => {
                let left = Duration::from_millis(left.unsigned_abs());
                Ok(match codec::decode(value) {
                    Some(Stored::Claim(held)) => in_flight(&held, Some(left)),
                    _ => Begin::Unreadable,
                })
            }
            (b"lapsed", Some(Value::BulkString(value)), None) => Ok(match codec::decode(value) {
                Some(Stored::Claim(StoredClaim { fingerprint, .. })) => {
                    Begin::Lapsed { fingerprint }
                }
                _ => Begin::Unreadable,
            }),
            (b"found", Some(Value::BulkString(value)), None) => Ok(match codec::decode(value) {
                Some(Stored::Finished(record)) => Begin::Finished(record),
                Some(Stored::Lock) => locked(),
                Some(Stored::Claim(_)) | None => Begin::Unreadable,
            }),
            _ => Err(unexpected("begin.lua", &Value::Array(vec![]))),
        }
    }
}

impl Store for RedisStore {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        if claim.is_lock() {
            return self.lock(claim).await;
        }
        let mut set = cmd("SET");
        set.arg(claim.key.to_string())
            .arg(codec::encode_claim(claim))
            .arg("NX")
            .arg("GET")
            .arg("PX")
            .arg(expiry(claim.lease.saturating_add(claim.afterlife)));
        let value = match self.call(&set).await? {
            Reply::Value(Value::Nil) => return Ok(claimed(claim, NonZeroU32::MIN)),
            Reply::Value(Value::BulkString(value)) => value,
            Reply::WrongType => return Ok(Begin::Unreadable),
            reply => return Err(reply.unexpected("SET NX GET")),
        };
        match codec::decode(value) {
            None => Ok(Begin::Unreadable),
            Some(Stored::Lock) => Ok(locked()),
            Some(Stored::Finished(record)) => Ok(Begin::Finished(record)),
            Some(Stored::Claim(held)) if held.token == claim.token => {
                Ok(claimed(claim, held.attempt))
            }
            Some(Stored::Claim(held)) if held.fingerprint != claim.fingerprint => {
                Ok(in_flight(&held, None))
            }
            Some(Stored::Claim(_)) => self.join(claim).await,
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let token = lease.token().to_hex();
        let reply = (self.run(&script::RENEW, lease.key(), |call| {
            call.arg(&token)
                .arg(expiry(lease.duration().saturating_add(lease.afterlife())));
        }))
        .await?;
        match reply {
            Reply::Value(Value::Nil) | Reply::WrongType => Ok(Renewed::Lost),
            Reply::Value(value @ Value::Array(_)) => {
                let (seconds, micros): (u64, u64) = redis::from_redis_value(value)
                    .map_err(|err| StoreError::interrupted(RedisError::from(err)))?;
                let at = StoreTime(seconds.saturating_mul(1_000_000).saturating_add(micros));
                Ok(Renewed::Yes { at })
            }
            reply => Err(reply.unexpected("renew.lua")),
        }
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let token = lease.token().to_hex();
        let value = codec::encode_record(record)
            .ok_or_else(|| StoreError::unavailable("a header is too long to be recorded"))?;
        let reply = (self.run(&script::COMPLETE, lease.key(), |call| {
            call.arg(&token).arg(&value).arg(expiry(retention));
        }))
        .await?;
        reply.held("complete.lua")
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let token = lease.token().to_hex();
        let reply = (self.run(&script::RELEASE, lease.key(), |call| {
            call.arg(&token);
        }))
        .await?;
        reply.held("release.lua")
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        let mut get = cmd("GET");
        get.arg(key.to_string());
        let mut left = cmd("PTTL");
        left.arg(key.to_string());
        loop {
            match self.call(&get).await? {
                Reply::Value(Value::BulkString(value)) => match codec::decode(value) {
                    Some(Stored::Claim(held)) if seen.is(&held.token) => {
                        let left = match self.call(&left).await? {
                            Reply::Value(Value::Int(left)) => left,
                            reply => return Err(reply.unexpected("PTTL")),
                        };
                        if left <= i64::try_from(held.afterlife).unwrap_or(i64::MAX) {
                            return Ok(());
                        }
                    }
                    _ => return Ok(()),
                },
                Reply::Value(Value::Nil) | Reply::WrongType => return Ok(()),
                reply => return Err(reply.unexpected("GET")),
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// What came back, errors that are outcomes told apart from those that are not.
enum Reply {
    Value(Value),
    /// The key holds something of another type.
    WrongType,
    /// The server does not know the script.
    NoScript,
}

impl Reply {
    fn of(reply: RedisResult<Value>) -> Result<Self, StoreError> {
        match reply.and_then(Value::extract_error) {
            Ok(value) => Ok(Self::Value(value)),
            Err(err) if err.code() == Some("WRONGTYPE") => Ok(Self::WrongType),
            Err(err) if err.kind() == ServerErrorKind::NoScript.into() => Ok(Self::NoScript),
            Err(err) => Err(from_redis(err)),
        }
    }

    /// The answer of a script that says 1 when the claim was held.
    fn held(self, script: &str) -> Result<Held, StoreError> {
        match self {
            Self::Value(Value::Int(1)) => Ok(Held::Yes),
            Self::Value(Value::Int(0)) | Self::WrongType => Ok(Held::Lost),
            reply => Err(reply.unexpected(script)),
        }
    }

    fn unexpected(&self, command: &str) -> StoreError {
        match self {
            Self::Value(value) => unexpected(command, value),
            Self::WrongType => StoreError::unavailable(format!("{command}: WRONGTYPE")),
            Self::NoScript => StoreError::unavailable(format!("{command}: NOSCRIPT")),
        }
    }
}

fn claimed(claim: &NewClaim, attempt: NonZeroU32) -> Begin {
    Begin::Claimed {
        lease: claim.lease(),
        attempt,
    }
}

fn in_flight(held: &StoredClaim, left: Option<Duration>) -> Begin {
    Begin::InFlight {
        by: Some(ClaimId::of(held.token)),
        fingerprint: held.fingerprint,
        left,
    }
}

fn locked() -> Begin {
    Begin::InFlight {
        by: None,
        fingerprint: None,
        left: None,
    }
}

/// Whole milliseconds, few enough for Redis to add to its clock.
fn millis(time: Duration) -> u64 {
    const MOST: u64 = 100 * 365 * 24 * 3600 * 1000;
    u64::try_from(time.as_millis()).unwrap_or(MOST).min(MOST)
}

/// The same for an expiry, which Redis refuses when it is zero.
fn expiry(time: Duration) -> u64 {
    millis(time).max(1)
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
