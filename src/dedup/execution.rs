use std::{fmt, num::NonZeroU32, time::Duration};

use bytes::Bytes;

use super::ExecutionOutcome;
use crate::{
    claim::{FencingError, Guard},
    event::FinishOutcome,
    fingerprint::Fingerprint,
    store::{Headers, Record, RecordedResponse, StoreTime},
};

/// The right, and the duty, to do a piece of work. Ends with [`complete`](Self::complete),
/// [`fail`](Self::fail) or [`release`](Self::release).
///
/// Dropped without any of them, by an error or a panic, it frees the key for another try; with
/// [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) its lease expires instead, because it is not known
/// how far the work came.
///
/// ```
/// use actix_web_idempotency::{
///     MemoryStore,
///     dedup::{DedupOutcome, Deduplicator, FinishOutcome},
/// };
///
/// # async fn send(mail: &str) -> Result<String, bool> { Ok("queued".to_owned()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deduplicator = Deduplicator::new(MemoryStore::new());
/// if let DedupOutcome::Execute(execution) = deduplicator.claim("mail-7", None).await? {
///     let finished = match send("hello").await {
///         Ok(receipt) => execution.complete(receipt).await,
///         Err(true) => execution.release().await, // can be tried again
///         Err(false) => execution.fail("no such address").await,
///     };
///     if finished == FinishOutcome::Lost {
///         eprintln!("mail-7 may have been sent twice");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it gives the work back undone"]
pub struct Execution {
    guard: Guard,
    fingerprint: Option<Fingerprint>,
    retention: Duration,
}

impl Execution {
    pub(super) fn new(guard: Guard, fingerprint: Option<Fingerprint>, retention: Duration) -> Self {
        Self {
            guard,
            fingerprint,
            retention,
        }
    }

    /// Returns the number of this execution: 1, and one more for each owner of this key that has crashed. One
    /// above 1 may find parts of the work done.
    pub fn attempt(&self) -> NonZeroU32 {
        self.guard
            .held_claim()
            .map_or(NonZeroU32::MIN, |held_claim| held_claim.attempt())
    }

    /// Confirms the claim and returns its fencing token, later than that of any earlier owner of the key; see
    /// [`Claim::fencing_token`](crate::Claim::fencing_token).
    ///
    /// # Errors
    ///
    /// When the claim is lost, or the store cannot be asked.
    pub async fn fencing_token(&self) -> Result<StoreTime, FencingError> {
        match self.guard.held_claim() {
            Some(held_claim) => held_claim.fencing_token().await,
            None => Err(FencingError::lost()),
        }
    }

    /// Returns whether another owner may do the same work by now, as far as this process knows.
    pub fn is_lost(&self) -> bool {
        self.guard
            .held_claim()
            .is_none_or(|held_claim| held_claim.is_lost())
    }

    /// Waits until the claim is [lost](Self::is_lost), to be raced against long work. Cancel safe.
    pub async fn lost(&self) {
        if let Some(held_claim) = self.guard.held_claim() {
            held_claim.lost().await;
        }
    }

    /// Sets how long this work is remembered, instead of the builder's
    /// [`retention`](super::DeduplicatorBuilder::retention).
    pub fn retain_for(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// Records that the work is done; later claims get the result. Ends within one call to the store.
    pub async fn complete(self, result: impl Into<Bytes>) -> FinishOutcome {
        self.record(ExecutionOutcome::Completed(result.into()))
            .await
    }

    /// Records that the work failed for good; later claims get the error. After a failure that
    /// another try may mend, [`release`](Self::release) it.
    pub async fn fail(self, error: impl Into<Bytes>) -> FinishOutcome {
        self.record(ExecutionOutcome::Failed(error.into())).await
    }

    /// Frees the key for another try: the work is not done.
    pub async fn release(mut self) -> FinishOutcome {
        self.guard.ended();
        self.guard.finish().await
    }

    /// Begins a commit: returns the statement that records the result in the application's transaction. The package of a
    /// driver does the rest, see [`commit`](crate::commit). Afterwards there is nothing left to do with the execution
    /// but to drop it.
    ///
    /// # Errors
    ///
    /// When nothing may be sent: the store has no transactions, or the work is committed already.
    #[cfg(feature = "sql")]
    pub fn completion(
        &self,
        result: impl Into<Bytes>,
    ) -> Result<crate::commit::Completion, crate::commit::CommitError> {
        use crate::commit::{CommitError, Completion, Responder};

        let record = self.record_of(ExecutionOutcome::Completed(result.into()));
        match self.guard.held_claim() {
            Some(held_claim) => {
                Completion::new(held_claim, record, self.retention, Responder::default())
            }
            None => Err(CommitError::unusable("the work has ended")),
        }
    }

    async fn record(mut self, outcome: ExecutionOutcome) -> FinishOutcome {
        self.guard.ended();
        let record = self.record_of(outcome);
        self.guard.complete(record, self.retention).await
    }

    fn record_of(&self, outcome: ExecutionOutcome) -> Record {
        let (status, body) = outcome.into_parts();
        Record::Response(RecordedResponse {
            fingerprint: self.fingerprint,
            status,
            headers: Headers::new(),
            body,
        })
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("held_claim", &self.guard.held_claim())
            .finish_non_exhaustive()
    }
}
