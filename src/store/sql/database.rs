use std::{
    error::Error,
    fmt::{self, Debug},
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Dialect;

/// A database as [`SqlStore`](super::SqlStore) uses it: a source of connections that runs single statements.
///
/// A driver's adapter implements it; an application takes a store from the adapter. The package
/// `actix-web-idempotency-sqlx` is one.
///
/// # Contract
///
/// * A statement runs in a transaction of its own, committed when its rows are returned, on a connection that
///   nothing else uses meanwhile. It runs once: the store decides what is tried again.
/// * Every call ends by [`Statement::deadline`], waiting for a connection included.
/// * Every future can be dropped at any moment. A connection whose statement was given up is closed, and not
///   used again: its next user would wait for that statement, or read its rows.
/// * The error says whether the statement may have run. That decides whether a key is looked after, so a case
///   of doubt is [`lost`](DatabaseError::lost).
/// * After an error that a new connection would not have (the server stops, or is read-only since a failover)
///   the connection is closed.
pub trait Database: Debug + Send + Sync + 'static {
    /// The SQL that the database understands.
    const DIALECT: Dialect;

    /// A row of the driver.
    type Row: Row + Send;

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    ///
    /// When it has not run, or may not have.
    fn run(
        &self,
        statement: &Statement<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, DatabaseError>> + Send;

    /// Returns whether connections can keep prepared statements. Behind a pooler that mixes them up they cannot, and
    /// those of a [commit](crate::commit) must not be prepared either.
    ///
    /// Defaults to `true`.
    fn prepares(&self) -> bool {
        true
    }

    /// Runs several statements, separated by semicolons and without values, in one transaction: a migration.
    ///
    /// # Errors
    ///
    /// When they have not run, or may not have.
    fn run_script(
        &self,
        sql: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<(), DatabaseError>> + Send;
}

/// A statement, its values, and how it is to be run.
#[derive(Debug)]
pub struct Statement<'a> {
    pub(super) sql: &'a Arc<str>,
    pub(super) values: &'a [Value<'a>],
    pub(super) connection: Connection,
    pub(super) deadline: Instant,
}

impl Statement<'_> {
    /// Returns its text, with a numbered place for a value: `$1` in PostgreSQL, `?1` in SQLite, where a text need not
    /// use all values. A store has few texts, so they are worth preparing.
    pub fn sql(&self) -> &Arc<str> {
        self.sql
    }

    /// Returns the values, the first one first.
    pub fn values(&self) -> &[Value<'_>] {
        self.values
    }

    /// Returns which connection it is to run on.
    pub fn connection(&self) -> Connection {
        self.connection
    }

    /// Returns when the call has to end at the latest.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the time until the [`deadline`](Self::deadline).
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A value of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `bigint` in PostgreSQL, `INTEGER` in SQLite.
    Int(i64),
    /// `text` in PostgreSQL, `TEXT` in SQLite.
    Text(&'a str),
    /// `bytea` in PostgreSQL, `BLOB` in SQLite; `None` is null.
    Bytes(Option<&'a [u8]>),
}

/// Shows no content: among the values are tokens and responses.
impl Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int(_) => "Int(..)",
            Self::Text(_) => "Text(..)",
            Self::Bytes(_) => "Bytes(..)",
        })
    }
}

/// The connection that a statement runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Connection {
    /// Any connection of the pool, without a test whether it is alive: that would be a round trip for each call.
    Any,
    /// A connection that is known to be alive: the statement has just failed on one that was not.
    Alive,
    /// A connection of the store's own. Leases are renewed on it, so it must be there when the application's
    /// pool is exhausted.
    Reserved,
}

/// A row of a driver. Columns are counted from 0.
pub trait Row {
    /// Returns a number, `bigint` in PostgreSQL; `None` if it is null.
    ///
    /// # Errors
    ///
    /// When the column is of another type, or not there.
    fn int(&self, column: usize) -> Result<Option<i64>, DatabaseError>;

    /// Returns a text; `None` if it is null.
    ///
    /// # Errors
    ///
    /// When the column is of another type, or not there.
    fn text(&self, column: usize) -> Result<Option<String>, DatabaseError>;

    /// Returns bytes, `bytea` in PostgreSQL; `None` if it is null.
    ///
    /// # Errors
    ///
    /// When the column is of another type, or not there.
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError>;
}

/// A statement has not run, or may not have.
#[derive(Debug)]
pub struct DatabaseError {
    pub(super) kind: DatabaseErrorKind,
    pub(super) source: Box<dyn Error + Send + Sync>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DatabaseErrorKind {
    NoConnection,
    Refused(Option<String>),
    Stale,
    Lost,
    Late,
}

impl DatabaseError {
    /// Returns the error of a statement that was not sent, because there was no connection for it in time.
    pub fn no_connection(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(DatabaseErrorKind::NoConnection, source)
    }

    /// Returns the error of a statement that the database refused, so that it has changed nothing. The code is
    /// PostgreSQL's [SQLSTATE](https://www.postgresql.org/docs/current/errcodes-appendix.html), or SQLite's [primary
    /// result code](https://www.sqlite.org/rescode.html) in digits: the store says what to do about the usual ones.
    pub fn refused(code: Option<&str>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let code = code.map(str::to_owned);
        Self::new(DatabaseErrorKind::Refused(code), source)
    }

    /// Returns the error of a statement that the database refused because of its connection, which is closed by now:
    /// it leads to a server that is read-only since a failover. On a new one it may run.
    pub fn stale(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(DatabaseErrorKind::Stale, source)
    }

    /// Returns the error of a statement whose connection ended before the reply: it may have run.
    pub fn lost(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(DatabaseErrorKind::Lost, source)
    }

    /// Returns the error of a statement that was sent, and not replied to by its deadline: it may still run.
    pub fn late(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(DatabaseErrorKind::Late, source)
    }

    /// Returns whether another writer has the whole database, which is SQLite.
    pub(super) fn is_busy(&self) -> bool {
        let code = match &self.kind {
            DatabaseErrorKind::Refused(code) => code.as_deref(),
            _ => None,
        };
        matches!(code, Some("5" | "6"))
    }

    fn new(kind: DatabaseErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
