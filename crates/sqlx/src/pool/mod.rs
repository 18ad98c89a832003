//! Connections for single statements, of the pool of an application and beside it.

mod in_use;

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use actix_web_idempotency::store::sql::{Connection, DatabaseError};
use sqlx::{Database, Error, Pool};
use tokio::time::timeout;

use self::in_use::InUse;

/// The pool of the application, and one connection beside it.
pub(crate) struct Connections<DB: Database> {
    pool: Pool<DB>,
    /// One connection, made like those of the pool. Opened at first need: a pool can only be made within a runtime.
    reserved: OnceLock<Pool<DB>>,
}

impl<DB: Database> Connections<DB> {
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            reserved: OnceLock::new(),
        }
    }

    /// How many connections the pool has.
    pub(crate) fn size(&self) -> u32 {
        self.pool.size()
    }

    fn reserved(&self) -> &Pool<DB> {
        self.reserved.get_or_init(|| {
            let options = self.pool.options().clone();
            let options = options.min_connections(0).max_connections(1);
            let connect = self.pool.connect_options();
            options.connect_lazy_with(Arc::unwrap_or_clone(connect))
        })
    }

    /// Does work on a connection until the deadline, and gives it back or has it closed. The error of the work says
    /// whether its connection can be used again.
    pub(crate) async fn with<T>(
        &self,
        which: Connection,
        deadline: Instant,
        work: impl AsyncFnOnce(&mut DB::Connection) -> Result<T, Error>,
        explain: impl FnOnce(Error) -> (DatabaseError, bool),
    ) -> Result<T, DatabaseError> {
        let mut connection = self.connection(which, left(deadline)).await?;
        let Some(raw) = connection.get() else {
            return Err(DatabaseError::no_connection("the connection is gone"));
        };
        match timeout(left(deadline), work(raw)).await {
            Ok(Ok(done)) => {
                connection.give_back();
                Ok(done)
            }
            Ok(Err(err)) => {
                let (err, is_usable) = explain(err);
                if is_usable {
                    connection.give_back();
                }
                Err(err)
            }
            Err(_elapsed) => Err(DatabaseError::late("the database did not reply in time")),
        }
    }

    async fn connection(
        &self,
        which: Connection,
        limit: Duration,
    ) -> Result<InUse<DB>, DatabaseError> {
        let pool = match which {
            Connection::Reserved => self.reserved(),
            _ => &self.pool,
        };
        // Without the ping of an ordinary acquire, which would be a round trip for every call.
        if which != Connection::Alive
            && let Some(connection) = pool.try_acquire()
        {
            return Ok(InUse::new(connection));
        }
        match timeout(limit, pool.acquire()).await {
            Ok(Ok(connection)) => Ok(InUse::new(connection)),
            Ok(Err(err)) => Err(no_connection(pool, Some(err))),
            Err(_elapsed) => Err(no_connection(pool, None)),
        }
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Returns why there was no connection. sqlx says the same of a pool that is exhausted and of a server that refuses
/// connections, for which it tries again until its time is up.
fn no_connection<DB: Database>(pool: &Pool<DB>, err: Option<Error>) -> DatabaseError {
    match err {
        None | Some(Error::PoolTimedOut) => {
            let (size, most) = (pool.size(), pool.options().get_max_connections());
            let is_exhausted = size >= most && pool.num_idle() == 0;
            DatabaseError::no_connection(match is_exhausted {
                true => format!(
                    "no connection was free in time: all {most} of the pool are in use, or the database cannot be \
                     reached"
                ),
                false => "the database could not be connected to in time".to_owned(),
            })
        }
        Some(err) => DatabaseError::no_connection(err),
    }
}
