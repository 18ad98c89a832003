//! What an operator would look at before the store is used.

use std::{fmt, sync::atomic::Ordering, time::Duration};

use super::{Database, Dialect, Inner, Row, SqlStore, Value, call::IfLost, rows::Columns};
use crate::{
    runtime::log,
    store::{Begin, NewClaim, Store, StoreError, StoreKey},
};

/// What the table's comment says. A table of another version has another number.
const COMMENT: &str = "actix-web-idempotency, schema 1";
/// Long enough for the steps of a check, and gone soon if they are cut off.
const PROBE: Duration = Duration::from_secs(5);

/// Something about a database that should be changed before money depends on it. `Display` says what it is, what
/// can happen, and which setting to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    kind: FindingKind,
    message: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A crash of the server forgets what was done: the table is unlogged, or commits do not wait for the disk.
    NotDurable,
    /// A failover forgets what was not replicated yet.
    Replicas,
    /// The table does not say which version it is of.
    UnknownVersion,
    /// Requests wait for each other more than they have to.
    Slow,
}

impl Finding {
    fn new(kind: FindingKind, message: String) -> Self {
        Self { kind, message }
    }

    /// Returns the kind.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<D: Database> SqlStore<D> {
    /// Checks the database for use at start-up: whether it is there, has the table, allows its user to use it, and
    /// whether its settings may lose claims or records. Findings are returned, and logged as warnings the first
    /// time.
    ///
    /// Claims and releases one lock under a random key.
    ///
    /// # Errors
    ///
    /// When the store cannot work: the server is away or read-only, the table is missing or of another version, or
    /// the user lacks rights. The error says which, and what to do.
    pub async fn check(&self) -> Result<Vec<Finding>, StoreError> {
        let findings = self.0.settings().await?;
        self.claim_and_release().await?;
        if !self.0.checked.swap(true, Ordering::AcqRel) {
            for finding in &findings {
                log::warn!("{finding}");
            }
        }
        Ok(findings)
    }

    /// Does what a lock does.
    async fn claim_and_release(&self) -> Result<(), StoreError> {
        let probe = NewClaim::lock(StoreKey::new("check:", rand::random()), PROBE);
        match self.begin(&probe).await? {
            Begin::Claimed { .. } => {}
            // Nobody else has a random key.
            _ => return Err(StoreError::unavailable("a new key was not vacant")),
        }
        self.release(&probe.lease()).await.map(|_held| ())
    }
}

impl<D: Database> Inner<D> {
    async fn settings(&self) -> Result<Vec<Finding>, StoreError> {
        let table = self.table.quoted();
        let sql = &self.statements.check;
        let values = [Value::Text(&table)];
        let rows = self.run(sql, &values, IfLost::Repeat, self.deadline());
        let rows = rows.await?;
        let row = rows.first();
        let row = row.ok_or_else(|| StoreError::interrupted("the statement returned nothing"))?;
        match D::DIALECT {
            Dialect::Postgres => self.findings_in_postgres(Columns::new(row)),
            Dialect::Sqlite => findings_in_sqlite(Columns::new(row)),
        }
    }

    fn findings_in_postgres(
        &self,
        mut columns: Columns<'_, D::Row>,
    ) -> Result<Vec<Finding>, StoreError> {
        let table = &self.table;
        let refused = |code| self.hint(code).unwrap_or_default();
        if columns.int()? != Some(1) {
            return Err(StoreError::unavailable(refused("42P01")));
        }
        let mut findings = Vec::new();
        match columns.text()? {
            Some(comment) if comment == COMMENT => {}
            Some(comment) if comment.starts_with("actix-web-idempotency") => {
                let hint = refused("42703");
                return Err(StoreError::unavailable(format!("{hint}: it is {comment:?}")));
            }
            _ => findings.push(Finding::new(
                FindingKind::UnknownVersion,
                format!(
                    "the table {table} has no comment that says its version, so it is unknown whether it is the \
                     right one: COMMENT ON TABLE {} IS '{COMMENT}'",
                    table.quoted()
                ),
            )),
        }
        let missing = columns.text()?.unwrap_or_default();
        if !missing.is_empty() {
            let hint = refused("42501");
            return Err(StoreError::unavailable(format!(
                "{hint}: {missing} is missing"
            )));
        }
        if columns.int()? == Some(1) {
            return Err(StoreError::unavailable(refused("25006")));
        }
        if columns.int()? == Some(1) {
            findings.push(Finding::new(
                FindingKind::NotDurable,
                format!(
                    "the table {table} is unlogged: a crash of the server empties it, and completed requests run \
                     again. ALTER TABLE {} SET LOGGED",
                    table.quoted()
                ),
            ));
        }
        for (setting, value) in [
            ("synchronous_commit", columns.text()?),
            ("fsync", columns.text()?),
        ] {
            if value.as_deref() == Some("off") {
                findings.push(Finding::new(
                    FindingKind::NotDurable,
                    format!(
                        "the server's {setting} is off: a crash forgets what was done just before, and those \
                         requests may run again. Set {setting} on"
                    ),
                ));
            }
        }
        if let Some(replicas) = columns.int()?.filter(|count| *count > 0) {
            findings.push(Finding::new(
                FindingKind::Replicas,
                format!(
                    "the server has {replicas} replicas, which follow with a delay: a failover forgets what they had \
                     not received, and those requests may run again. Set synchronous_standby_names"
                ),
            ));
        }
        Ok(findings)
    }
}

fn findings_in_sqlite<R: Row>(mut columns: Columns<'_, R>) -> Result<Vec<Finding>, StoreError> {
    let journal = columns.text()?.unwrap_or_default();
    let synchronous = columns.int()?;
    let mut findings = Vec::new();
    if matches!(journal.as_str(), "memory" | "off") {
        findings.push(Finding::new(
            FindingKind::NotDurable,
            format!(
                "journal_mode is {journal}: a crash damages the database or forgets everything. Set journal_mode to WAL, \
                 in a file"
            ),
        ));
    } else if journal != "wal" {
        findings.push(Finding::new(
            FindingKind::Slow,
            format!(
                "journal_mode is {journal}: replays wait for each writer. Set journal_mode to WAL"
            ),
        ));
    }
    if synchronous < Some(2) {
        findings.push(Finding::new(
            FindingKind::NotDurable,
            "synchronous is below FULL: a power failure forgets what was done just before, and those requests may run \
             again. Set synchronous to FULL"
                .to_owned(),
        ));
    }
    Ok(findings)
}
