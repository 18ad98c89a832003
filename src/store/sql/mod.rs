//! A store in a SQL database: [`SqlStore`].
//!
//! Applications take it from the package of their driver: `PgStore` and `SqliteStore` of `actix-web-idempotency-sqlx`
//! are those over sqlx. This module is for authors of such a package: they implement [`Database`].

mod builder;
mod call;
mod check;
mod database;
mod dialect;
#[cfg(test)]
mod fake;
mod hints;
mod inspect;
mod on_cut_off;
mod purge;
mod renewals;
mod rows;
mod store;
mod table;
mod watches;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

pub use self::{
    builder::SqlStoreBuilder,
    check::{Finding, FindingKind},
    database::{Connection, Database, DatabaseError, Row, Statement, Value},
    dialect::Dialect,
};
use self::{
    dialect::Statements, purge::PurgeSchedule, renewals::Renewals, table::Table, watches::Watches,
};
use crate::store::{OwnerToken, Record, StoreError, StoreTime};

/// Long enough to wait for a connection while handlers have them all, short enough for a client that waits.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// As long as records are kept by default.
const DEFAULT_PURGE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Stores claims and records in a table of a SQL database. This page describes it in PostgreSQL; [in
/// SQLite](crate::guide::sqlite) there is one writer at a time, and the clock is the machine's.
///
/// * **Survives:** restarts and crashes of all processes, and whatever the database survives.
/// * **Clock:** the server's, for every decision.
/// * **Cost:** one round trip for a claim, a replay, a refusal, a completion or a release, two for an expired
///   claim. A replay writes nothing. All renewals of a process go out together, and so do the questions of all
///   waiting duplicates, every 10 ms at first and every 50 ms later; a completion in the same process notifies
///   its duplicates at once.
/// * **Connections:** none while a handler runs. Claims, completions and releases take one from the pool for a
///   single statement; renewals, waiting duplicates and the purge share one that is reserved for them.
/// * **Locks:** no statement waits for a row that a transaction has locked.
/// * **Time limit:** every call but [`changed`](crate::store::Store::changed) ends after
///   [`timeout`](SqlStoreBuilder::timeout), 2 s by default.
/// * **Purge:** once a minute while there are new claims, in steps of a thousand rows; see
///   [`purge`](Self::purge).
///
/// Clones share the store. The table, poolers, isolation, failovers: [PostgreSQL in
/// production](crate::guide::postgres).
///
/// # Faults
///
#[doc = include_str!("faults.md")]
pub struct SqlStore<D>(Arc<Inner<D>>);

struct Inner<D> {
    database: D,
    statements: Statements,
    table: Table,
    timeout: Duration,
    purge_after: Duration,
    asynchronous_claims: bool,
    renewals: Renewals,
    watches: Watches,
    purges: PurgeSchedule,
    /// Whether findings have been logged.
    checked: AtomicBool,
}

impl<D: Database> SqlStore<D> {
    /// The statements that make the table and its index, for the migrations of the application. They leave alone
    /// what is there. For a table of another name see [`schema`](Self::schema).
    pub const SCHEMA: &str = D::DIALECT.schema();

    /// Returns a store with default settings. The adapter of a driver takes what it is made from, such as a pool.
    pub fn new(database: impl Into<D>) -> Self {
        SqlStoreBuilder::new(database.into()).build_with(Table::default())
    }

    /// Returns a store in a file of its own, for a database that is one: `SqliteStore::open("keys.db")`. The file is made
    /// where it is missing, at the first call.
    ///
    /// # Panics
    ///
    /// Over sqlx, outside of a runtime of tokio, because its pool begins a task.
    pub fn open(file: impl Into<PathBuf>) -> Self
    where
        D: From<PathBuf>,
    {
        Self::new(file.into())
    }

    /// Returns a builder for further settings.
    pub fn builder(database: impl Into<D>) -> SqlStoreBuilder<D> {
        SqlStoreBuilder::new(database.into())
    }

    /// Returns [`SCHEMA`](Self::SCHEMA) with the name of this store's table.
    pub fn schema(&self) -> String {
        self.0.table.insert_into(Self::SCHEMA)
    }

    /// Makes the table and its index where they are missing. Several processes may do that at once.
    ///
    /// The user of the pool must be allowed to create tables; otherwise apply [`SCHEMA`](Self::SCHEMA) as another
    /// one.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked, or refuses.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let store = &self.0;
        let migration = D::DIALECT.migration(&self.schema());
        let done = (store.database).run_script(&migration, store.deadline());
        done.await.map_err(|err| store.explained(err))
    }

    /// Returns the database.
    pub fn database(&self) -> &D {
        &self.0.database
    }
}

/// Returns the time as the last value of a statement, where there is no server that has a clock: in microseconds since
/// 1970.
pub(crate) fn time_of_this_machine() -> Value<'static> {
    let now = StoreTime::of_this_machine();
    Value::Int(i64::try_from(now.0).unwrap_or(i64::MAX))
}

/// Returns the values of the statement that completes a claim in a transaction of the application.
pub(crate) fn completion_values<'a>(
    key: &'a str,
    token: &'a OwnerToken,
    record: &'a Record,
    retention: Duration,
) -> Vec<Value<'a>> {
    let [status, headers, body] = rows::values_of(record);
    vec![
        Value::Text(key),
        Value::Bytes(Some(token.as_bytes())),
        rows::value_of(record.fingerprint()),
        status,
        headers,
        body,
        Value::Int(rows::millis(retention)),
    ]
}

impl<D> Clone for SqlStore<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<D: Database> fmt::Debug for SqlStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("database", &self.0.database)
            .field("table", &format_args!("{}", self.0.table))
            .finish_non_exhaustive()
    }
}
