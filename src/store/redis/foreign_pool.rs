use std::{
    fmt::Debug,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bb8::{ManageConnection, Pool, RunError};
use futures_util::future::{BoxFuture, Either, select};
use redis::{Cmd, Pipeline, RedisResult, Value, aio::ConnectionLike};
use tokio::{
    sync::{Mutex, OnceCell},
    time::{Instant, timeout_at},
};

use super::{
    call::Try,
    error::{discreet, from_redis, is_lost},
    outage::Outage,
    per_runtime::DEAD,
    traffic::Traffic,
    version,
};
use crate::store::StoreError;

/// A pool of the application's own, whatever it manages.
pub(super) trait ForeignPool: Send + Sync {
    /// Sends one command, by `deadline`; fails at once while no connection can be had.
    fn send<'a>(
        &'a self,
        cmd: &'a Cmd,
        nth: Try,
        deadline: Instant,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<RedisResult<Value>, StoreError>>;

    /// The same for many at once.
    fn send_all<'a>(
        &'a self,
        commands: &'a Pipeline,
        nth: Try,
        deadline: Instant,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<RedisResult<Vec<Value>>, StoreError>>;
}

/// The pool, and what is known of its server.
pub(super) struct Observed<M: ManageConnection> {
    pool: Pool<M>,
    limit: Duration,
    outage: Outage,
    new_enough: OnceCell<()>,
    /// Set while a call that the pool has kept waiting for too long is left to wait for it.
    is_stuck: Arc<AtomicBool>,
    spare: Arc<Mutex<Option<Spare<M::Connection>>>>,
}

/// A connection beside those of the pool, which all calls share for as long as the pool gives none that
/// works: it may be asking one that the network has forgotten, or have lent all that it has.
struct Spare<C> {
    opened: Instant,
    connection: C,
}

impl<M> ForeignPool for Observed<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    fn send<'a>(
        &'a self,
        cmd: &'a Cmd,
        nth: Try,
        deadline: Instant,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<RedisResult<Value>, StoreError>> {
        Box::pin(async move {
            let mut connection = self.connection(nth, deadline, traffic).await?;
            let reply = pin!(connection.req_packed_command(cmd));
            self.reply(reply, nth, deadline).await
        })
    }

    fn send_all<'a>(
        &'a self,
        commands: &'a Pipeline,
        nth: Try,
        deadline: Instant,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<RedisResult<Vec<Value>>, StoreError>> {
        Box::pin(async move {
            let mut connection = self.connection(nth, deadline, traffic).await?;
            // What `Pipeline::query_async` does; that takes no trait object.
            let reply = pin!(connection.req_packed_commands(commands, 0, commands.len()));
            self.reply(reply, nth, deadline).await
        })
    }
}

impl<M> Observed<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    pub(super) fn new(pool: Pool<M>, limit: Duration) -> Self {
        Self {
            pool,
            limit,
            outage: Outage::default(),
            new_enough: OnceCell::new(),
            is_stuck: Arc::default(),
            spare: Arc::default(),
        }
    }

    async fn connection(
        &self,
        nth: Try,
        deadline: Instant,
        traffic: &Arc<Traffic>,
    ) -> Result<M::Connection, StoreError> {
        self.outage.check(self.limit)?;
        let mut connection = match nth {
            Try::First => match self.get(deadline, traffic).await? {
                Some(connection) => connection,
                None => self.spare(None, deadline).await?,
            },
            Try::Second => self.spare(Some(self.begun(deadline)), deadline).await?,
        };
        self.outage.ends();
        let ask = async {
            let question = version::question();
            match timeout_at(deadline, connection.req_packed_command(&question)).await {
                Ok(answer) => version::check(answer).map_err(from_redis),
                Err(_elapsed) => Err(StoreError::timeout()),
            }
        };
        self.new_enough.get_or_try_init(|| ask).await?;
        Ok(connection)
    }

    /// When the call with this deadline began. A connection that was opened later is new to it.
    fn begun(&self, deadline: Instant) -> Instant {
        deadline - self.limit
    }

    fn patience(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.limit / 3)
    }

    /// A clone of one of the pool's, so that the pool has its connection back at once; `None` when the
    /// pool gives none within a third of the limit, or keeps another call waiting already.
    async fn get(
        &self,
        deadline: Instant,
        traffic: &Arc<Traffic>,
    ) -> Result<Option<M::Connection>, StoreError> {
        if self.is_stuck.load(Ordering::Acquire) {
            return Ok(None);
        }
        let pool = self.pool.clone();
        let mut get = Box::pin(async move { pool.get().await.map(|got| got.clone()) });
        match timeout_at(self.patience(deadline), &mut get).await {
            Ok(Ok(connection)) => return Ok(Some(connection)),
            Ok(Err(RunError::User(err))) => return Err(self.fails(format!("{err:?}"))),
            Ok(Err(RunError::TimedOut)) => return Ok(None),
            Err(_elapsed) => {}
        }
        // Cut off, the pool would keep a dead connection and ask it again; let go on, it finds out.
        // Until then this is one of those who wait, and the only one.
        if !self.is_stuck.swap(true, Ordering::AcqRel) {
            let place = traffic.stay();
            let stuck = Stuck(Arc::clone(&self.is_stuck));
            let spare = Arc::clone(&self.spare);
            drop(tokio::spawn(async move {
                if get.await.is_ok() {
                    spare.lock().await.take();
                }
                drop((stuck, place));
            }));
        }
        Ok(None)
    }

    /// The connection beside those of the pool, or another when it was opened before a moment.
    async fn spare(
        &self,
        not_before: Option<Instant>,
        deadline: Instant,
    ) -> Result<M::Connection, StoreError> {
        let spare = async {
            let mut spare = self.spare.lock().await;
            if let Some(spare) = &*spare
                && not_before.is_none_or(|moment| spare.opened >= moment)
            {
                return Ok(spare.connection.clone());
            }
            let opened = Instant::now();
            let connection = self.pool.dedicated_connection().await;
            let connection = connection.map_err(|err| self.fails(format!("{err:?}")))?;
            *spare = Some(Spare {
                opened,
                connection: connection.clone(),
            });
            Ok(connection)
        };
        let spare = timeout_at(deadline, spare).await;
        spare.unwrap_or_else(|_elapsed| {
            Err(self.fails("the pool had no connection in time".to_owned()))
        })
    }

    fn fails(&self, reason: String) -> StoreError {
        self.outage.begins(&reason);
        StoreError::unavailable(reason)
    }

    /// Waits for a reply. When it is late another connection is opened, as
    /// [`PerRuntime`](super::per_runtime::PerRuntime) does, which knows the reason.
    async fn reply<T>(
        &self,
        mut reply: Pin<&mut (impl Future<Output = RedisResult<T>> + Send)>,
        nth: Try,
        deadline: Instant,
    ) -> Result<RedisResult<T>, StoreError> {
        let mut replied = timeout_at(self.patience(deadline), &mut reply).await;
        if replied.is_err() && nth == Try::First {
            let another = pin!(self.spare(Some(self.begun(deadline)), deadline));
            match select(&mut reply, another).await {
                Either::Left((reply, _)) => replied = Ok(reply),
                Either::Right((Ok(_), _)) => {
                    return Err(StoreError::connection_lost(DEAD, deadline));
                }
                Either::Right((Err(_), _)) => {}
            }
        }
        let reply = match replied {
            Ok(reply) => reply,
            Err(_elapsed) => {
                (timeout_at(deadline, reply).await).map_err(|_elapsed| StoreError::timeout())?
            }
        };
        match reply {
            Err(err) if err.is_timeout() => Err(StoreError::timeout()),
            Err(err) if is_lost(&err) => Err(StoreError::connection_lost(discreet(err), deadline)),
            reply => Ok(reply),
        }
    }
}

/// Says so until it is dropped, which is also when its runtime ends.
struct Stuck(Arc<AtomicBool>);

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
