use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{
    DEFAULT_PURGE_AFTER, DEFAULT_TIMEOUT, Database, Inner, SqlStore, dialect::Statements,
    purge::PurgeSchedule, renewals::Renewals, table::Table, watches::Watches,
};
use crate::config::ConfigError;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of a [`SqlStore`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct SqlStoreBuilder<D> {
    database: D,
    table: Option<String>,
    timeout: Duration,
    purge_after: Duration,
    asynchronous_claims: bool,
}

impl<D: Database> SqlStoreBuilder<D> {
    pub(super) fn new(database: D) -> Self {
        Self {
            database,
            table: None,
            timeout: DEFAULT_TIMEOUT,
            purge_after: DEFAULT_PURGE_AFTER,
            asynchronous_claims: false,
        }
    }

    /// Sets the name of the table, as `name` or `schema.name`, upper and lower case as they are.
    ///
    /// Defaults to `idempotency_keys`, in the schema that the connection's search path finds.
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// Sets the longest that a call takes: getting a connection, sending, and the reply.
    ///
    /// Defaults to 2 s: handlers may have all connections for a moment, and a claim that waits its turn is better
    /// than one that is refused. From 10 ms to 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets when the purge looks at a row for the first time, counted from its claim. A record that is kept for
    /// longer is looked at again at its end.
    ///
    /// Defaults to 24 hours, as records do. Set it to the longest retention of your guards: a shorter one costs
    /// each record one more write, a longer one keeps rows that nothing reads. It decides nothing else.
    pub fn purge_after(mut self, time: Duration) -> Self {
        self.purge_after = time;
        self
    }

    /// Sets whether a request waits until its claim is on the server's disk, and on a synchronous standby if there is
    /// one. With `true` it does not: `synchronous_commit` is `off` for claims alone.
    ///
    /// Defaults to `false`. `true` is safe if everything that handlers do is in the transaction that they
    /// [commit](crate::guide::exactly_once) with their claim: a server that crashes forgets the claims of its last half
    /// second, so a duplicate may run beside its original request, but only one of them can commit. Effects
    /// outside of the transaction can happen twice then.
    pub fn asynchronous_claims(mut self, asynchronous: bool) -> Self {
        self.asynchronous_claims = asynchronous;
        self
    }

    /// Builds the store. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the table's name has other characters than letters, digits and underscores, or the time limit is out of
    /// its range.
    pub fn build(self) -> Result<SqlStore<D>, ConfigError> {
        let timeout = self.timeout;
        if timeout < Duration::from_millis(10) || timeout > LONGEST_TIMEOUT {
            return Err(ConfigError::new(format!(
                "timeout must be between 10 ms and 10 s (got {timeout:?}); 2 s is a good default"
            )));
        }
        let table = match &self.table {
            Some(name) => Table::parse(name, D::DIALECT)?,
            None => Table::default(),
        };
        Ok(self.build_with(table))
    }

    pub(super) fn build_with(self, table: Table) -> SqlStore<D> {
        SqlStore(Arc::new(Inner {
            database: self.database,
            statements: Statements::new(D::DIALECT, &table),
            table,
            timeout: self.timeout,
            purge_after: self.purge_after,
            asynchronous_claims: self.asynchronous_claims,
            renewals: Renewals::default(),
            watches: Watches::default(),
            purges: PurgeSchedule::new(),
            checked: AtomicBool::new(false),
        }))
    }
}
