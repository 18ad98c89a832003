use std::{error::Error, fmt, sync::Arc, time::Duration};

use super::{CommitError, CommitErrorKind, Responder};
use crate::{
    claim::HeldClaim,
    store::{CompletionSql, Record, sql},
};

/// The statement that completes a claim, to be the last one of the application's transaction, outside of any
/// savepoint. The record and the rows of the transaction are then committed together, or neither is.
///
/// It ends with [`committed`](Self::committed), [`rolled_back`](Self::rolled_back), [`lost`](Self::lost) or
/// [`in_doubt`](Self::in_doubt). Dropped without any of them, the outcome is in doubt: the response that the handler
/// returns is not recorded, the key is freed unless the transaction was committed, and a retry meets the truth.
#[must_use = "dropping it leaves the outcome of the transaction in doubt"]
pub struct Completion {
    sql: CompletionSql,
    /// None if the transaction is committed as it is.
    work: Option<Work>,
    responder: Responder,
}

/// A claim that is completed.
struct Work {
    held_claim: Arc<HeldClaim>,
    key: String,
    record: Record,
    retention: Duration,
}

impl Completion {
    /// Begins a commit. From here on it is in doubt.
    pub(crate) fn new(
        held_claim: &Arc<HeldClaim>,
        record: Record,
        retention: Duration,
        responder: Responder,
    ) -> Result<Self, CommitError> {
        let Some(sql) = held_claim.completion() else {
            return Err(CommitError::no_transactions(responder));
        };
        if let Err(refused) = held_claim.begin_commit() {
            return Err(CommitError::refused(refused, responder));
        }
        let work = Work {
            key: held_claim.key().to_text(),
            held_claim: Arc::clone(held_claim),
            record,
            retention,
        };
        Ok(Self {
            sql,
            work: Some(work),
            responder,
        })
    }

    /// Returns one that records nothing: in a shadow the transaction must end as it does without a guard.
    pub(crate) fn in_shadow(responder: Responder) -> Self {
        Self {
            sql: CompletionSql::new("SELECT 1", true),
            work: None,
            responder,
        }
    }

    /// Returns the statement. It returns one row, or fails with division by zero (22012) in PostgreSQL and a null token
    /// (1299, `SQLITE_CONSTRAINT_NOTNULL`) in SQLite, which ends the transaction: then the claim is
    /// [`lost`](Self::lost).
    pub fn sql(&self) -> &str {
        self.sql.as_str()
    }

    /// Returns whether a connection can keep the statement prepared; behind some poolers it must not.
    pub fn may_be_prepared(&self) -> bool {
        self.sql.may_be_prepared()
    }

    /// Returns the values of the statement, the first one first. There are none in a shadow, where nothing is recorded.
    pub fn values(&self) -> Vec<sql::Value<'_>> {
        let Some(work) = &self.work else {
            return Vec::new();
        };
        let token = work.held_claim.token();
        let mut values = sql::completion_values(&work.key, token, &work.record, work.retention);
        if self.sql.asks_for_time() {
            values.push(sql::time_of_this_machine());
        }
        values
    }

    /// The transaction is committed. `COMMIT` alone does not prove that, because some servers and drivers report
    /// success for one that was rolled back: the row of the statement must have come before.
    pub fn committed(mut self) {
        if let Some(work) = self.work.take() {
            work.held_claim.committed();
        }
    }

    /// The transaction is rolled back. The claim can be used again, for another try with a response that is built anew.
    pub fn rolled_back(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> CommitError {
        let source = source.into();
        if let Some(work) = self.work.take() {
            work.held_claim.commit_rolled_back(&source);
        }
        self.error(CommitErrorKind::RolledBack, source)
    }

    /// The transaction is rolled back, because the claim has another owner by now, or none.
    pub fn lost(mut self) -> CommitError {
        if let Some(work) = self.work.take() {
            work.held_claim.commit_lost();
        }
        self.error(CommitErrorKind::Lost, "another owner may do the same work")
    }

    /// Whether the transaction is committed cannot be known.
    pub fn in_doubt(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> CommitError {
        self.error(CommitErrorKind::InDoubt, source)
    }

    fn error(
        &self,
        kind: CommitErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> CommitError {
        CommitError::new(kind, source, self.responder.clone())
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if let Some(work) = &self.work {
            work.held_claim.commit_in_doubt();
        }
    }
}

/// Shows no content: among the values are a token and a response.
impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field(
                "held_claim",
                &self.work.as_ref().map(|work| &work.held_claim),
            )
            .finish_non_exhaustive()
    }
}
