use std::{
    io,
    sync::atomic::{AtomicBool, AtomicUsize},
};

use bb8::{ManageConnection, Pool};
use redis::{RedisError, RedisFuture};
use tokio::time::advance;

use super::*;

const LIMIT: Duration = Duration::from_millis(500);
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A server, as the application's pool sees it.
#[derive(Clone, Debug, Default)]
struct Server(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// It refuses connections.
    is_away: AtomicBool,
    opened: AtomicUsize,
    /// How often the pool has tested a connection before it lent it.
    tested: AtomicUsize,
    /// Connections with a lower number are dead, which nobody knows before they are used.
    dead: AtomicUsize,
}

impl Server {
    fn pool(&self) -> Observed<Pool<Self>> {
        let pool = Pool::builder().max_size(1).max_lifetime(None);
        let pool = pool.idle_timeout(None).build_unchecked(self.clone());
        Observed::new(pool, LIMIT)
    }

    fn opened(&self) -> usize {
        self.0.opened.load(Ordering::SeqCst)
    }

    fn tested(&self) -> usize {
        self.0.tested.load(Ordering::SeqCst)
    }

    fn set_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Connections that were opened so far are dead from now on, or none is.
    fn set_dead(&self, are_dead: bool) {
        let dead = if are_dead { self.opened() } else { 0 };
        self.0.dead.store(dead, Ordering::SeqCst);
    }
}

impl ManageConnection for Server {
    type Connection = Connection;
    type Error = RedisError;

    async fn connect(&self) -> RedisResult<Connection> {
        if self.0.is_away.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        Ok(Connection {
            number: self.0.opened.fetch_add(1, Ordering::SeqCst),
            server: self.clone(),
        })
    }

    async fn is_valid(&self, _: &mut Connection) -> RedisResult<()> {
        self.0.tested.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

#[derive(Clone)]
struct Connection {
    number: usize,
    server: Server,
}

impl Connection {
    fn reply<T>(&self, reply: T) -> RedisResult<T> {
        match self.number < self.server.0.dead.load(Ordering::SeqCst) {
            true => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
            false => Ok(reply),
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async { self.reply(Value::Okay) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { self.reply(vec![Value::Okay; count]) })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

async fn call(pool: &Observed<Pool<Server>>) -> Result<(), StoreError> {
    let call_limit = Arc::new(CallLimit::new(100));
    let ping = redis::cmd("PING");
    let sent = pool
        .send(&ping, Instant::now() + LIMIT, &call_limit)
        .await?;
    sent.map(drop).map_err(StoreError::unavailable)
}

#[tokio::test(start_paused = true)]
async fn pool_that_gave_a_lost_connection_is_asked_again_after_a_second() {
    let server = Server::default();
    let pool = server.pool();
    call(&pool).await.unwrap();
    server.set_dead(true);
    let lost = call(&pool).await.unwrap_err();
    assert!(lost.again_until().is_some(), "{lost}");

    let (opened, tested) = (server.opened(), server.tested());
    advance(MILLISECOND).await;
    call(&pool).await.unwrap();
    advance(SECOND - MILLISECOND * 2).await;
    call(&pool).await.unwrap();
    assert_eq!(
        server.opened(),
        opened + 1,
        "both used one spare connection"
    );
    assert_eq!(server.tested(), tested, "the pool was left alone");

    advance(MILLISECOND).await;
    server.set_dead(false);
    call(&pool).await.unwrap();
    assert_eq!(server.opened(), opened + 1);
    assert_eq!(server.tested(), tested + 1, "the pool was asked");
}

#[tokio::test(start_paused = true)]
async fn server_that_comes_back_is_met_within_a_second_however_long_it_was_away() {
    for seconds in [1, 3, 10, 60] {
        let server = Server::default();
        let pool = server.pool();
        server.set_away(true);
        let begun = Instant::now();
        while begun.elapsed() < SECOND * seconds {
            let err = call(&pool).await.unwrap_err();
            assert!(!err.may_have_run(), "{err}");
            advance(MILLISECOND * 10).await;
        }
        server.set_away(false);
        let returned = Instant::now();
        while call(&pool).await.is_err() {
            advance(MILLISECOND * 10).await;
        }
        let took = returned.elapsed();
        // The pool itself may be asked first.
        let longest = SECOND + LIMIT / 3 + MILLISECOND * 20;
        assert!(took <= longest, "{took:?} after {seconds} seconds");
        for _again in 0..10 {
            call(&pool).await.unwrap();
        }
    }
}
