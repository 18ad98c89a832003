use std::{fmt, sync::Arc, time::Instant};

use actix_web_idempotency::store::sql::{
    Connection, Database, DatabaseError, Dialect, Statement, Value,
};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, SqlSafeStr,
    postgres::PgArguments, query::Query,
};

use super::{error::of_statement, row::PgRow};
use crate::pool::Connections;

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
    connections: Connections<Postgres>,
    transaction_pooler: bool,
}

impl PgDatabase {
    /// Returns the database that the pool leads to.
    pub fn new(pool: PgPool) -> Self {
        Self {
            connections: Connections::new(pool),
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
        let sql = AssertSqlSafe(Arc::clone(statement.sql()));
        let query = query_with(sql, statement.values());
        let work = async |connection: &mut PgConnection| {
            if !self.transaction_pooler {
                return query.fetch_all(connection).await;
            }
            // The transaction keeps both halves of a statement on one connection of the server: sqlx sends it
            // to be parsed, waits, and then to be run.
            let mut transaction = connection.begin().await?;
            let rows = query.persistent(false).fetch_all(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(rows)
        };
        let (which, deadline) = (statement.connection(), statement.deadline());
        let rows = self
            .connections
            .with(which, deadline, work, of_statement)
            .await?;
        Ok(rows.into_iter().map(PgRow).collect())
    }

    fn prepares(&self) -> bool {
        !self.transaction_pooler
    }

    async fn run_script(&self, sql: &str, deadline: Instant) -> Result<(), DatabaseError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let work = async |connection: &mut PgConnection| script.execute(connection).await.map(drop);
        let connections = &self.connections;
        connections
            .with(Connection::Alive, deadline, work, of_statement)
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
            .field("connections", &self.connections.size())
            .finish_non_exhaustive()
    }
}
