use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use actix_web_idempotency::store::sql::{
    Connection, Database, DatabaseError, Dialect, Statement, Value,
};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, SqlSafeStr,
    postgres::PgArguments, query::Query,
};
use tokio::time::timeout;

use super::{
    connection::InUse,
    error::{no_connection, of_statement},
    row::PgRow,
};

/// PostgreSQL, by the pool of the application.
///
/// Claims, completions and releases run on a connection of the pool as it is: without the ping that sqlx sends at
/// each acquire, and without the pool's `before_acquire`. One that turns out to be closed costs a second try on
/// another. Renewals, waiting duplicates and the purge have one connection of their own, opened like those of the
/// pool.
///
/// A [`PgStore`](crate::PgStore) takes the pool itself, unless there is something to set:
///
/// ```
/// use actix_web_idempotency_sqlx::{PgDatabase, PgStore};
/// use sqlx::PgPool;
///
/// fn behind_an_old_pgbouncer(pool: PgPool) -> PgStore {
///     PgStore::new(PgDatabase::new(pool).transaction_pooler(true))
/// }
/// ```
pub struct PgDatabase {
    pool: PgPool,
    /// One connection, made like those of the pool. Opened at first need: a pool can only be made within a runtime.
    reserved: OnceLock<PgPool>,
    transaction_pooler: bool,
}

impl PgDatabase {
    /// Returns the database that the pool leads to.
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            reserved: OnceLock::new(),
            transaction_pooler: false,
        }
    }

    /// Sets whether connections lead through a pooler that gives each transaction another one and does not know
    /// prepared statements, such as PgBouncer before 1.21 in transaction mode.
    ///
    /// Defaults to `false`: statements are prepared once per connection, and take one round trip each. With `true`
    /// each runs in a transaction, parsed anew, and takes four.
    pub fn transaction_pooler(mut self, is_there: bool) -> Self {
        self.transaction_pooler = is_there;
        self
    }

    fn reserved(&self) -> &PgPool {
        self.reserved.get_or_init(|| {
            let options = self.pool.options().clone();
            let options = options.min_connections(0).max_connections(1);
            let connect = self.pool.connect_options();
            options.connect_lazy_with(Arc::unwrap_or_clone(connect))
        })
    }

    async fn connection(&self, which: Connection, limit: Duration) -> Result<InUse, DatabaseError> {
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

    /// Uses a connection until the deadline, and gives it back or has it closed.
    async fn with_connection<T>(
        &self,
        mut connection: InUse,
        deadline: Instant,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DatabaseError> {
        let Some(raw) = connection.get() else {
            return Err(DatabaseError::no_connection("the connection is gone"));
        };
        match timeout(left(deadline), work(raw)).await {
            Ok(Ok(done)) => {
                connection.give_back();
                Ok(done)
            }
            Ok(Err(err)) => {
                let (err, is_usable) = of_statement(err);
                if is_usable {
                    connection.give_back();
                }
                Err(err)
            }
            Err(_elapsed) => Err(DatabaseError::late("the server did not reply in time")),
        }
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Binds values, which are encoded right away.
pub(super) fn query_with<'q>(
    sql: impl SqlSafeStr,
    values: &[Value<'_>],
) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Int(int) => query.bind(int),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        // A later version of the store has a type that this one does not know.
        _ => query.bind(None::<i64>),
    })
}

impl Database for PgDatabase {
    const DIALECT: Dialect = Dialect::Postgres;

    type Row = PgRow;

    async fn run(&self, statement: &Statement<'_>) -> Result<Vec<PgRow>, DatabaseError> {
        let connection = self
            .connection(statement.connection(), left(statement.deadline()))
            .await?;
        let sql = AssertSqlSafe(Arc::clone(statement.sql()));
        let query = query_with(sql, statement.values());
        let rows = self
            .with_connection(connection, statement.deadline(), async |connection| {
                if !self.transaction_pooler {
                    return query.fetch_all(connection).await;
                }
                // The transaction keeps both halves of a statement on one connection of the server: sqlx sends it
                // to be parsed, waits, and then to be run.
                let mut transaction = connection.begin().await?;
                let rows = query.persistent(false).fetch_all(&mut *transaction).await?;
                transaction.commit().await?;
                Ok(rows)
            })
            .await?;
        Ok(rows.into_iter().map(PgRow).collect())
    }

    fn prepares(&self) -> bool {
        !self.transaction_pooler
    }

    async fn run_script(&self, sql: &str, deadline: Instant) -> Result<(), DatabaseError> {
        let connection = self.connection(Connection::Alive, left(deadline)).await?;
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.with_connection(connection, deadline, async |connection| {
            script.execute(connection).await.map(drop)
        })
        .await
    }
}

impl From<PgPool> for PgDatabase {
    fn from(pool: PgPool) -> Self {
        Self::new(pool)
    }
}

/// Shows no address and no password.
impl fmt::Debug for PgDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgDatabase")
            .field("connections", &self.pool.size())
            .finish_non_exhaustive()
    }
}
