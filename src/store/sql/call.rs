//! One statement: sent, perhaps a second time, and its failure explained.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    Connection, Database, DatabaseError, Inner, Statement, Value, database::DatabaseErrorKind,
    time_of_this_machine,
};
use crate::store::{ClaimNotes, StoreError};

/// How often a statement is sent at most. More than one connection may be at fault: all those that a worker has
/// opened are, when its runtime ends.
const MOST_TRIES: usize = 4;

/// The pause where another writer has the whole database.
const AFTER_BUSY: Duration = Duration::from_millis(2);

/// What to do with a statement whose connection was lost: it may have run.
#[derive(Clone, Copy)]
pub(super) enum IfLost<'a> {
    /// Its second run would not find what the first has done.
    Fail,
    Repeat,
    /// A claim, which recognises itself; the guard has to know.
    RepeatClaim(&'a ClaimNotes),
}

impl<D: Database> Inner<D> {
    /// Returns when a call that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Runs a statement on any connection, and again on another one if the connection is at fault.
    pub(super) async fn run(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
        if_lost: IfLost<'_>,
        deadline: Instant,
    ) -> Result<Vec<D::Row>, StoreError> {
        self.run_on(Connection::Any, sql, values, if_lost, deadline)
            .await
    }

    /// Runs a statement that may run twice on the reserved connection.
    pub(super) async fn run_reserved(
        &self,
        sql: &Arc<str>,
        values: &[Value<'_>],
    ) -> Result<Vec<D::Row>, StoreError> {
        let deadline = self.deadline();
        self.run_on(Connection::Reserved, sql, values, IfLost::Repeat, deadline)
            .await
    }

    async fn run_on(
        &self,
        connection: Connection,
        sql: &Arc<str>,
        values: &[Value<'_>],
        if_lost: IfLost<'_>,
        deadline: Instant,
    ) -> Result<Vec<D::Row>, StoreError> {
        let timed: Vec<_>;
        let values = match D::DIALECT.asks_for_time() {
            // Before it is sent: whatever a later owner does is later.
            true => {
                timed = [values, &[time_of_this_machine()]].concat();
                &timed
            }
            false => values,
        };
        let mut statement = Statement {
            sql,
            values,
            connection,
            deadline,
        };
        let mut may_have_run = false;
        let mut tries = 1;
        loop {
            let begun = Instant::now();
            let err = match self.database.run(&statement).await {
                Ok(rows) => return Ok(rows),
                Err(err) => err,
            };
            // A writer that waits in vain for another one has waited for as long as its connection lets it.
            let waited = begun.elapsed();
            if err.is_busy() && waited < statement.time_left() {
                sleep(AFTER_BUSY).await;
                continue;
            }
            if tries == MOST_TRIES {
                return Err(self.failed(err, may_have_run));
            }
            tries += 1;
            match (&err.kind, if_lost) {
                (DatabaseErrorKind::Stale, _) => {}
                (DatabaseErrorKind::Refused(Some(code)), _) if is_conflict(code) => {}
                (DatabaseErrorKind::Lost, IfLost::Repeat) => may_have_run = true,
                (DatabaseErrorKind::Lost, IfLost::RepeatClaim(notes)) => {
                    notes.sent_again();
                    may_have_run = true;
                }
                _ => return Err(self.failed(err, may_have_run)),
            }
            if connection == Connection::Any {
                statement.connection = Connection::Alive;
            }
        }
    }

    /// Returns the error of a call, of which an earlier try may have run.
    fn failed(&self, err: DatabaseError, may_have_run: bool) -> StoreError {
        match may_have_run {
            true => self.explained(err).of_second_try(),
            false => self.explained(err),
        }
    }

    /// Returns the error of a store, with what to do about the failures that are usual.
    pub(super) fn explained(&self, err: DatabaseError) -> StoreError {
        let hint = match &err.kind {
            DatabaseErrorKind::NoConnection => return StoreError::unavailable(err.source),
            DatabaseErrorKind::Lost => return StoreError::interrupted(err.source),
            DatabaseErrorKind::Late => return StoreError::late(err.source),
            DatabaseErrorKind::Stale => self.hint("25006"),
            DatabaseErrorKind::Refused(code) => code.as_deref().and_then(|code| self.hint(code)),
        };
        match hint {
            Some(hint) => StoreError::unavailable(format!("{hint}: {}", err.source)),
            None => StoreError::unavailable(err.source),
        }
    }
}

/// Returns whether a statement was refused because of another one at the same time. That happens where connections
/// have a stricter isolation than READ COMMITTED by default.
fn is_conflict(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

/// The pauses between tries for a row that is locked, or that comes or goes meanwhile.
pub(super) struct Tries(u32);

impl Tries {
    const MOST: u32 = 5;

    pub(super) fn new() -> Self {
        Self(0)
    }

    /// Waits before the next try, 150 ms in all; `false` if there were enough.
    pub(super) async fn next(&mut self) -> bool {
        self.0 += 1;
        if self.0 == Self::MOST {
            return false;
        }
        sleep(Duration::from_millis(5) * 2_u32.pow(self.0)).await;
        true
    }
}
