use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web_idempotency::store::sql::{
    Connection, Database, DatabaseError, Dialect, Statement, Value,
};
use sqlx::{
    AssertSqlSafe, SqlSafeStr, Sqlite, SqliteConnection, SqlitePool,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use tokio::{sync::Semaphore, time::timeout};

use super::{error::of_statement, row::SqliteRow};
use crate::pool::Connections;

/// How many connections a store of its own has. One writes at a time, and the others read.
const CONNECTIONS: u32 = 4;

/// Shorter than the store's time limit, so that a statement that waits for a writer in vain is known not to have run.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// SQLite, by a file of the store's own or by the pool of the application.
///
/// A [`SqliteStore`](crate::SqliteStore) takes the pool itself.
pub struct SqliteDatabase {
    connections: Connections<Sqlite>,
    /// Those that write wait for each other here, in turn: SQLite would let them sleep and try again.
    writer: Semaphore,
}

impl SqliteDatabase {
    /// Returns the database that the pool leads to. Its connections are used as they are:
    /// [`check`](actix_web_idempotency::store::sql::SqlStore::check) says which of their settings to change. Give them a
    /// `busy_timeout` below the store's time limit: sqlx's default of 5 s is longer, and a claim that is given up while
    /// it waits for a writer has to be undone then.
    pub fn new(pool: SqlitePool) -> Self {
        Self {
            connections: Connections::new(pool),
            writer: Semaphore::new(1),
        }
    }

    /// Returns a database in a file, which is made where it is missing: with a write-ahead log, so that replays wait
    /// for no writer, and `synchronous=FULL`, so that a power failure forgets nothing. Several processes of one machine
    /// may share it. Called within a runtime of tokio; the file is opened at first need.
    pub fn open(file: impl AsRef<Path>) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY_TIMEOUT)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
        Self::new(pool.connect_lazy_with(options))
    }
}

/// Binds values, which are encoded right away.
pub(super) fn query_with<'q>(
    sql: impl SqlSafeStr,
    values: &[Value<'_>],
) -> Query<'q, Sqlite, SqliteArguments> {
    let query = sqlx::query(sql);
    values.iter().fold(query, |query, value| match *value {
        Value::Int(int) => query.bind(int),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
        // A later version of the store has a type that this one does not know.
        _ => query.bind(None::<i64>),
    })
}

const NO_TURN: &str = "no turn to write came in time: another connection holds the database, or too many statements wait";

/// Returns whether a statement needs the one place of a writer.
fn writes(sql: &str) -> bool {
    let mut code = sql.lines().filter(|line| !line.starts_with("--"));
    code.next().is_some_and(|line| !line.starts_with("SELECT"))
}

impl Database for SqliteDatabase {
    const DIALECT: Dialect = Dialect::Sqlite;

    type Row = SqliteRow;

    async fn run(&self, statement: &Statement<'_>) -> Result<Vec<SqliteRow>, DatabaseError> {
        let _turn = match writes(statement.sql()) {
            true => {
                let turn = timeout(statement.time_left(), self.writer.acquire()).await;
                let turn = turn.map_err(|_elapsed| DatabaseError::no_connection(NO_TURN))?;
                Some(turn.map_err(DatabaseError::no_connection)?)
            }
            false => None,
        };
        let sql = AssertSqlSafe(Arc::clone(statement.sql()));
        let query = query_with(sql, statement.values());
        let work = async |connection: &mut SqliteConnection| query.fetch_all(connection).await;
        let (which, deadline) = (statement.connection(), statement.deadline());
        let rows = self.connections.with(which, deadline, work, of_statement);
        Ok(rows.await?.into_iter().map(SqliteRow).collect())
    }

    async fn run_script(&self, sql: &str, deadline: Instant) -> Result<(), DatabaseError> {
        let script = format!("BEGIN IMMEDIATE; {sql}; COMMIT");
        let script = sqlx::raw_sql(AssertSqlSafe(script));
        let work =
            async |connection: &mut SqliteConnection| script.execute(connection).await.map(drop);
        // One that has failed in the midst has begun a transaction, so its connection is not used again.
        let closed = |err| (of_statement(err).0, false);
        let connections = &self.connections;
        connections
            .with(Connection::Alive, deadline, work, closed)
            .await
    }
}

/// As [`open`](SqliteDatabase::open) does.
impl From<PathBuf> for SqliteDatabase {
    fn from(file: PathBuf) -> Self {
        Self::open(file)
    }
}

impl From<SqlitePool> for SqliteDatabase {
    fn from(pool: SqlitePool) -> Self {
        Self::new(pool)
    }
}

/// Shows no path.
impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDatabase")
            .field("connections", &self.connections.size())
            .finish_non_exhaustive()
    }
}
