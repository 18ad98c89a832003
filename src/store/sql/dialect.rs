use std::sync::Arc;

use super::table::Table;

/// The SQL of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL 13 and newer.
    Postgres,
    /// SQLite 3.35 and newer.
    Sqlite,
}

impl Dialect {
    /// Returns the statements that make the table and its index where they are missing.
    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Postgres => include_str!("postgres/schema.sql"),
            Self::Sqlite => include_str!("sqlite/schema.sql"),
        }
    }

    /// Returns a schema as a migration that several processes may run at once.
    pub(super) fn migration(self, schema: &str) -> String {
        match self {
            Self::Postgres => format!("{MIGRATE_ALONE}\n{schema}"),
            // A writer is alone.
            Self::Sqlite => schema.to_owned(),
        }
    }

    /// Returns whether the last value of each statement is the time of this machine.
    pub(super) const fn asks_for_time(self) -> bool {
        match self {
            Self::Postgres => false,
            Self::Sqlite => true,
        }
    }
}

/// Two processes that create a table at once meet at the unique names of PostgreSQL's own tables, and one fails in
/// spite of `IF NOT EXISTS`. The number is of no meaning but that it is the same everywhere.
const MIGRATE_ALONE: &str = "SELECT pg_advisory_xact_lock(7303014921530189);";

/// The statements of a store, with the name of its table.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) begin: Arc<str>,
    pub(super) take_over: Arc<str>,
    pub(super) renew: Arc<str>,
    pub(super) complete: Arc<str>,
    pub(super) commit: Arc<str>,
    pub(super) remove: Arc<str>,
    pub(super) look: Arc<str>,
    pub(super) list: Arc<str>,
    pub(super) purge: Arc<str>,
    pub(super) check: Arc<str>,
}

impl Statements {
    pub(super) fn new(dialect: Dialect, table: &Table) -> Self {
        let with_table = |sql: &str| Arc::from(table.insert_into(sql));
        match dialect {
            Dialect::Postgres => Self {
                begin: with_table(include_str!("postgres/begin.sql")),
                take_over: with_table(include_str!("postgres/take_over.sql")),
                renew: with_table(include_str!("postgres/renew.sql")),
                complete: with_table(include_str!("postgres/complete.sql")),
                commit: with_table(include_str!("postgres/commit.sql")),
                remove: with_table(include_str!("postgres/remove.sql")),
                look: with_table(include_str!("postgres/look.sql")),
                list: with_table(include_str!("postgres/list.sql")),
                purge: with_table(include_str!("postgres/purge.sql")),
                check: with_table(include_str!("postgres/check.sql")),
            },
            Dialect::Sqlite => Self {
                begin: with_table(include_str!("sqlite/begin.sql")),
                take_over: with_table(include_str!("sqlite/take_over.sql")),
                renew: with_table(include_str!("sqlite/renew.sql")),
                complete: with_table(include_str!("sqlite/complete.sql")),
                commit: with_table(include_str!("sqlite/commit.sql")),
                remove: with_table(include_str!("sqlite/remove.sql")),
                look: with_table(include_str!("sqlite/look.sql")),
                list: with_table(include_str!("sqlite/list.sql")),
                purge: with_table(include_str!("sqlite/purge.sql")),
                check: with_table(include_str!("sqlite/check.sql")),
            },
        }
    }
}
