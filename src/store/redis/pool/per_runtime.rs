use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::future::{Either, select};
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::{
    runtime::{self, Handle},
    sync::watch,
    time::{Instant, timeout_at},
};

use super::{circuit_breaker::CircuitBreaker, endpoint::Endpoint, manager::Manager};
use crate::store::{
    StoreError,
    redis::wire::{
        Connection, State,
        error::{discreet, is_lost},
    },
};

/// What is said of a connection over which nothing comes while another one works.
pub(crate) const DEAD: &str = "the connection gave no reply, and a new one works";

/// One shared connection for each runtime that asks, which in actix means: for each worker.
///
/// A redis connection is driven by the runtime that opened it. Used from another worker a command
/// costs 40 µs more, a busy worker stalls the others, and when that runtime ends the connection is
/// dead. Within its runtime one connection is enough, since calls are pipelined on it.
pub(crate) struct PerRuntime {
    place: Endpoint,
    limit: Duration,
    links: Arc<Links>,
    /// Closes with the store, and with it the keepers end.
    store: watch::Sender<()>,
}

/// By runtime. Locked for a look-up per call, never across an await.
type Links = Mutex<HashMap<runtime::Id, Arc<Link>>>;

impl PerRuntime {
    pub(crate) fn new(place: Endpoint, limit: Duration) -> Self {
        Self {
            place,
            limit,
            links: Arc::default(),
            store: watch::Sender::new(()),
        }
    }

    /// Sends one command. The outer error says that it could not be sent, or that no answer came.
    ///
    /// An error with [`again_until`](StoreError::again_until) says that the connection ended, or went
    /// dead, and that there may be another one for a second try.
    pub(crate) async fn send(
        &self,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<RedisResult<Value>, StoreError> {
        let mut connection = self.connection(deadline).await?;
        let state = connection.state();
        self.reply(&state, pin!(connection.send(cmd)), deadline)
            .await
    }

    /// The same for many at once.
    pub(crate) async fn send_all(
        &self,
        commands: &Pipeline,
        deadline: Instant,
    ) -> Result<RedisResult<Vec<Value>>, StoreError> {
        let mut connection = self.connection(deadline).await?;
        let state = connection.state();
        let reply = pin!(connection.send_all(commands));
        self.reply(&state, reply, deadline).await
    }

    /// Waits for a reply, and finds out about a connection that has gone dead.
    async fn reply<T>(
        &self,
        connection: &Arc<State>,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        deadline: Instant,
    ) -> Result<RedisResult<T>, StoreError> {
        let heard = connection.replies();
        let reply = match timeout_at(self.patience(deadline), &mut reply).await {
            Ok(reply) => reply,
            // Boxed, because it is rare and large.
            Err(_elapsed) => Box::pin(self.late(connection, heard, reply, deadline)).await?,
        };
        match reply {
            Err(err) if is_lost(&err) => {
                let lost = format!("{}: {}", connection.server(), discreet(err));
                Err(StoreError::connection_lost(lost, deadline))
            }
            reply => Ok(reply),
        }
    }

    /// Until when a reply is not late: for a third of the limit.
    fn patience(&self, deadline: Instant) -> Instant {
        deadline.min(Instant::now() + self.limit / 3)
    }

    /// Waits on for a reply that is late. `heard` is how many had come when the call was sent.
    ///
    /// A network can forget a connection without a word: a NAT after a quiet night, a router that
    /// restarts. So when nothing at all has come over this one for a third of the limit, another is
    /// opened. That takes answers of the server: if they come, it is this connection that is dead, and
    /// the call is tried again; if the server is merely slow, the reply comes first, and nothing is
    /// sent twice. Until another is there this one stays in use, for it may be the best there is.
    async fn late<T>(
        &self,
        connection: &Arc<State>,
        mut heard: u64,
        mut reply: Pin<&mut impl Future<Output = RedisResult<T>>>,
        deadline: Instant,
    ) -> Result<RedisResult<T>, StoreError> {
        // Something has come since: this call may just be one of many.
        while connection.replies() != heard && Instant::now() < deadline {
            heard = connection.replies();
            if let Ok(reply) = timeout_at(self.patience(deadline), &mut reply).await {
                return Ok(reply);
            }
        }
        let another = pin!(self.replace(connection, deadline));
        match select(&mut reply, another).await {
            Either::Left((reply, _)) => Ok(reply),
            Either::Right((Ok(()), _)) => {
                let dead = format!("{}: {DEAD}", connection.server());
                Err(StoreError::connection_lost(dead, deadline))
            }
            // The server is away, or takes no more connections: then this one may still answer.
            Either::Right((Err(_), _)) => {
                let reply = timeout_at(deadline, reply).await;
                reply.map_err(|_elapsed| {
                    // Opening the next connection finds out.
                    connection.give_up();
                    let (server, limit) = (connection.server(), self.limit);
                    StoreError::late(format!("no reply from {server} within {limit:?}"))
                })
            }
        }
    }

    /// Puts another connection in the place of this one.
    async fn replace(&self, connection: &Arc<State>, deadline: Instant) -> Result<(), StoreError> {
        let link = self.link()?;
        link.replace(connection, deadline, self.limit).await
    }

    /// The connection of the current runtime, opened if need be by `deadline`.
    async fn connection(&self, deadline: Instant) -> Result<Connection, StoreError> {
        self.link()?.connection(deadline, self.limit).await
    }

    fn link(&self) -> Result<Arc<Link>, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::unavailable)?;
        let id = runtime.id();
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = links.get(&id) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(Link::new(self.place.clone(), self.limit));
        links.insert(id, Arc::clone(&link));
        drop(links);

        let keeper = Keeper {
            links: Arc::downgrade(&self.links),
            id,
        };
        let mut store = self.store.subscribe();
        runtime.spawn(async move {
            let _keeper = keeper;
            while store.changed().await.is_ok() {}
        });
        Ok(link)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl fmt::Debug for PerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerRuntime")
    }
}

/// Lives in a task of the runtime. When the runtime ends, its tasks are dropped, and this takes
/// the connection with it.
struct Keeper {
    links: Weak<Links>,
    id: runtime::Id,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let Some(links) = self.links.upgrade() else {
            return;
        };
        let link = (links.lock().unwrap_or_else(PoisonError::into_inner)).remove(&self.id);
        drop(link);
    }
}

/// What one runtime uses.
struct Link {
    /// Opens the connection, and another when it breaks. A check-out for each call would cost as
    /// much as the rest of the call.
    pool: bb8::Pool<Manager>,
    /// The connection that was opened last. Locked to clone or replace it.
    current: Mutex<Option<Connection>>,
    /// Locked while a connection that seems dead is replaced, so that one other is opened and not one for
    /// each call that waits on it.
    replacing: tokio::sync::Mutex<()>,
    breaker: Arc<CircuitBreaker>,
}

impl Link {
    fn new(place: Endpoint, limit: Duration) -> Self {
        let breaker = Arc::new(CircuitBreaker::new(&place));
        let pool = bb8::Pool::builder()
            .max_size(1)
            .connection_timeout(limit)
            // Its retries would go on behind the back of `CircuitBreaker`.
            .retry_connection(false)
            // A connection is replaced when it breaks. Ending healthy ones by the clock would
            // only add latency.
            .max_lifetime(None)
            .idle_timeout(None)
            .build_unchecked(Manager::new(place, limit, Arc::clone(&breaker)));
        Self {
            pool,
            current: Mutex::default(),
            replacing: tokio::sync::Mutex::default(),
            breaker,
        }
    }

    async fn connection(
        &self,
        deadline: Instant,
        limit: Duration,
    ) -> Result<Connection, StoreError> {
        match self.current() {
            Some(connection) => Ok(connection),
            // Boxed, because it is rare and large.
            None => Box::pin(self.open(deadline, limit)).await,
        }
    }

    async fn open(&self, deadline: Instant, limit: Duration) -> Result<Connection, StoreError> {
        self.breaker.check(limit)?;
        let failed = pin!(self.breaker.fails(deadline));
        let got = pin!(self.pool.get());
        match select(got, failed).await {
            // A clone: the pool has its connection back before anybody else can miss it.
            Either::Left((Ok(connection), _)) => Ok(self.remember(connection.clone())),
            // Both limits are the same; the outage knows the reason.
            Either::Left((Err(_late), failed)) => Err(failed.await),
            Either::Right((err, _)) => Err(err),
        }
    }

    /// Opens another connection beside one that seems dead, and puts it in its place once it is there.
    async fn replace(
        &self,
        dead: &Arc<State>,
        deadline: Instant,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let late = |_elapsed| self.breaker.reason();
        let _one_at_a_time = timeout_at(deadline, self.replacing.lock())
            .await
            .map_err(late)?;
        if self.current().is_some_and(|current| !current.has(dead)) {
            return Ok(());
        }
        self.breaker.check(limit)?;
        let opened = timeout_at(deadline, self.pool.dedicated_connection()).await;
        let opened = opened.map_err(late)?.map_err(StoreError::unavailable)?;
        dead.give_up();
        self.remember(opened);
        Ok(())
    }

    fn current(&self) -> Option<Connection> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has broken is not kept until another is there, which may take long.
        current.take_if(|connection| connection.is_broken());
        current.clone()
    }

    fn remember(&self, connection: Connection) -> Connection {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(connection.clone());
        connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::wire::Server;

    fn runtime() -> runtime::Runtime {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    fn nowhere() -> PerRuntime {
        let server = Server::new(
            "redis://127.0.0.1:1/",
            &Default::default(),
            &Default::default(),
        );
        PerRuntime::new(
            Endpoint::Server(server.unwrap()),
            Duration::from_millis(200),
        )
    }

    /// Asks for a connection to a port on which nobody listens.
    fn ask(connections: &PerRuntime, runtime: &runtime::Runtime) -> StoreError {
        let limit = Duration::from_millis(200);
        runtime.block_on(async {
            let got = connections.connection(Instant::now() + limit).await;
            got.unwrap_err()
        })
    }

    #[test]
    fn each_runtime_has_its_own_and_takes_it_along_when_it_ends() {
        let connections = nowhere();
        let (first, second) = (runtime(), runtime());
        for runtime in [&first, &first, &second] {
            assert!(!ask(&connections, runtime).may_have_run());
        }
        assert_eq!(connections.count(), 2);
        drop(first);
        assert_eq!(connections.count(), 1);
        drop(second);
        assert_eq!(connections.count(), 0);
    }

    #[tokio::test]
    async fn nothing_is_left_running_when_the_store_goes() {
        let connections = nowhere();
        let before = Handle::current().metrics().num_alive_tasks();
        connections.link().unwrap();
        assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1);
        drop(connections);
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn without_a_runtime_there_is_an_error_and_no_panic() {
        let connections = nowhere();
        assert!(connections.link().is_err());
    }
}
