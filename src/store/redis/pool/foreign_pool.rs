use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, Either, select};
use redis::{Cmd, Pipeline, RedisResult, Value, aio::ConnectionLike};
use tokio::{
    sync::{Mutex, OnceCell},
    time::{Instant, timeout_at},
};

use super::{
    call_limit::CallLimit, circuit_breaker::CircuitBreaker, per_runtime::DEAD, source::Source,
};
use crate::store::{
    StoreError,
    redis::wire::{
        error::{discreet, from_redis, is_lost},
        version,
    },
};

/// What errors call it: whatever the pool manages, it does not say where its servers are.
const POOL: &str = "the application's pool";
/// How long the pool is not asked after one of its connections was lost.
const SHUN: Duration = Duration::from_secs(1);

/// A pool of the application's own, whatever it manages.
pub(crate) trait ForeignPool: Send + Sync {
    /// Sends one command, by `deadline`; fails at once while no connection can be had.
    fn send<'a>(
        &'a self,
        cmd: &'a Cmd,
        deadline: Instant,
        call_limit: &'a Arc<CallLimit>,
    ) -> BoxFuture<'a, Result<RedisResult<Value>, StoreError>>;

    /// The same for many at once.
    fn send_all<'a>(
        &'a self,
        commands: &'a Pipeline,
        deadline: Instant,
        call_limit: &'a Arc<CallLimit>,
    ) -> BoxFuture<'a, Result<RedisResult<Vec<Value>>, StoreError>>;
}

/// The pool, and what is known of its server.
pub(crate) struct Observed<S: Source> {
    source: S,
    limit: Duration,
    breaker: CircuitBreaker,
    new_enough: OnceCell<()>,
    /// Set while a call that the pool has kept waiting for too long is left to wait for it.
    is_stuck: Arc<AtomicBool>,
    /// When the last call was sent whose connection was lost. What is older is not trusted. Locked to
    /// read or write it.
    lost: std::sync::Mutex<Option<Instant>>,
    spare: Arc<Mutex<Option<Spare<S::Connection>>>>,
}

/// A connection beside those of the pool, which all calls share for as long as the pool gives none that
/// works: it may be asking one that the network has forgotten, or have lent all that it has.
struct Spare<C> {
    opened: Instant,
    connection: C,
}

impl<S: Source> ForeignPool for Observed<S> {
    fn send<'a>(
        &'a self,
        cmd: &'a Cmd,
        deadline: Instant,
        call_limit: &'a Arc<CallLimit>,
    ) -> BoxFuture<'a, Result<RedisResult<Value>, StoreError>> {
        Box::pin(async move {
            let sent = Instant::now();
            let mut connection = self.connection(deadline, call_limit).await?;
            let reply = pin!(connection.req_packed_command(cmd));
            self.reply(reply, sent, deadline).await
        })
    }

    fn send_all<'a>(
        &'a self,
        commands: &'a Pipeline,
        deadline: Instant,
        call_limit: &'a Arc<CallLimit>,
    ) -> BoxFuture<'a, Result<RedisResult<Vec<Value>>, StoreError>> {
        Box::pin(async move {
            let sent = Instant::now();
            let mut connection = self.connection(deadline, call_limit).await?;
            // What `Pipeline::query_async` does; that takes no trait object.
            let reply = pin!(connection.req_packed_commands(commands, 0, commands.len()));
            self.reply(reply, sent, deadline).await
        })
    }
}

impl<S: Source> Observed<S> {
    pub(crate) fn new(source: S, limit: Duration) -> Self {
        Self {
            source,
            limit,
            breaker: CircuitBreaker::new(&POOL),
            new_enough: OnceCell::new(),
            is_stuck: Arc::default(),
            lost: std::sync::Mutex::default(),
            spare: Arc::default(),
        }
    }

    async fn connection(
        &self,
        deadline: Instant,
        call_limit: &Arc<CallLimit>,
    ) -> Result<S::Connection, StoreError> {
        self.breaker.check(self.limit)?;
        let mut connection = match self.get(deadline, call_limit).await? {
            Some(connection) => connection,
            None => self.spare(deadline).await?,
        };
        self.breaker.ends();
        let ask = async {
            let question = version::question();
            match timeout_at(deadline, connection.req_packed_command(&question)).await {
                Ok(answer) => version::check(answer).map_err(from_redis),
                Err(_elapsed) => Err(self.late()),
            }
        };
        self.new_enough.get_or_try_init(|| ask).await?;
        Ok(connection)
    }

    fn patience(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.limit / 3)
    }

    /// A connection; `None` when the pool gives none within a third of the limit, or keeps another call waiting already.
    async fn get(
        &self,
        deadline: Instant,
        call_limit: &Arc<CallLimit>,
    ) -> Result<Option<S::Connection>, StoreError> {
        if self.is_stuck.load(Ordering::Acquire) || self.is_shunned() {
            return Ok(None);
        }
        let mut get = self.source.get();
        match timeout_at(self.patience(deadline), &mut get).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(err)) => return Err(self.fails(format!("{POOL}: {err}"))),
            Err(_elapsed) => {}
        }
        // Cut off, the pool would keep a dead connection and ask it again; let go on, it finds out.
        // Until then this is one of those who wait, and the only one.
        if !self.is_stuck.swap(true, Ordering::AcqRel) {
            let place = call_limit.stay();
            let stuck = Stuck(Arc::clone(&self.is_stuck));
            let spare = Arc::clone(&self.spare);
            drop(tokio::spawn(async move {
                if let Ok(Some(_)) = get.await {
                    spare.lock().await.take();
                }
                drop((stuck, place));
            }));
        }
        Ok(None)
    }

    /// Whether the pool has given a dead connection just now. One that does not test what it gives
    /// would give the same again.
    fn is_shunned(&self) -> bool {
        self.last_lost().is_some_and(|sent| sent.elapsed() < SHUN)
    }

    fn last_lost(&self) -> Option<Instant> {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection over which a call was sent has gone dead.
    fn note_lost(&self, sent: Instant) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = (*lost).max(Some(sent));
    }

    /// The connection beside those of the pool, another one once it is not to be trusted.
    async fn spare(&self, deadline: Instant) -> Result<S::Connection, StoreError> {
        let spare = async {
            let mut spare = self.spare.lock().await;
            if let Some(spare) = &*spare
                && self.last_lost().is_none_or(|sent| spare.opened > sent)
            {
                return Ok(spare.connection.clone());
            }
            let opened = Instant::now();
            let connection = self.source.spare().await;
            let connection = connection.map_err(|err| self.fails(format!("{POOL}: {err}")))?;
            *spare = Some(Spare {
                opened,
                connection: connection.clone(),
            });
            Ok(connection)
        };
        let spare = timeout_at(deadline, spare).await;
        spare.unwrap_or_else(|_elapsed| {
            Err(self.fails(format!(
                "waiting for a connection of {POOL}: none within {:?}, nor one beside it",
                self.limit
            )))
        })
    }

    fn late(&self) -> StoreError {
        StoreError::late(format!("no reply over {POOL} within {:?}", self.limit))
    }

    fn fails(&self, reason: String) -> StoreError {
        self.breaker.begins(&reason);
        StoreError::unavailable(reason)
    }

    /// Waits for a reply. When it is late another connection is opened, as
    /// [`PerRuntime`](super::per_runtime::PerRuntime) does, which knows the reason.
    async fn reply<T>(
        &self,
        mut reply: Pin<&mut (impl Future<Output = RedisResult<T>> + Send)>,
        sent: Instant,
        deadline: Instant,
    ) -> Result<RedisResult<T>, StoreError> {
        let late = match timeout_at(self.patience(deadline), &mut reply).await {
            // The connection has a limit of its own, which is shorter.
            Ok(Err(err)) if err.is_timeout() => Either::Left(pending()),
            Ok(replied) => return self.judge(replied, sent, deadline),
            Err(_elapsed) => Either::Right(reply),
        };
        self.note_lost(sent);
        match select(late, pin!(self.spare(deadline))).await {
            Either::Left((replied, _)) => self.judge(replied, sent, deadline),
            Either::Right((Ok(_), _)) => Err(StoreError::connection_lost(DEAD, deadline)),
            Either::Right((Err(_), late)) => match timeout_at(deadline, late).await {
                Ok(replied) => self.judge(replied, sent, deadline),
                Err(_elapsed) => Err(self.late()),
            },
        }
    }

    fn judge<T>(
        &self,
        replied: RedisResult<T>,
        sent: Instant,
        deadline: Instant,
    ) -> Result<RedisResult<T>, StoreError> {
        match replied {
            Err(err) if err.is_timeout() => Err(self.late()),
            Err(err) if is_lost(&err) => {
                self.note_lost(sent);
                Err(StoreError::connection_lost(discreet(err), deadline))
            }
            replied => Ok(replied),
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

#[cfg(test)]
mod tests;
