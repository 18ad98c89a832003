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
/// Dropped without any of them, it gives the key back, for another to try; with
/// [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) its lease lapses, because nobody knows how far
/// it came.
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

    /// 1 unless owners of this key have died, one more for each. Who is not the first may find
    /// parts of the work done.
    pub fn attempt(&self) -> NonZeroU32 {
        self.guard
            .held_claim()
            .map_or(NonZeroU32::MIN, |held_claim| held_claim.attempt())
    }

    /// Confirms the claim and returns the store's time, later than what any earlier owner of the
    /// key was told; see [`Claim::fencing_token`](crate::Claim::fencing_token).
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

    /// Whether another may be doing the same work by now, as far as this process knows.
    pub fn is_lost(&self) -> bool {
        self.guard
            .held_claim()
            .is_none_or(|held_claim| held_claim.is_lost())
    }

    /// Returns once the claim is [lost](Self::is_lost), to be raced against long work. Cancel safe.
    pub async fn lost(&self) {
        if let Some(held_claim) = self.guard.held_claim() {
            held_claim.lost().await;
        }
    }

    /// Remembers the work for another time than usual.
    pub fn retain_for(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// The work is done; whoever claims it again is told the result. Ends within one call to the
    /// store.
    pub async fn complete(self, result: impl Into<Bytes>) -> FinishOutcome {
        self.record(ExecutionOutcome::Completed(result.into()))
            .await
    }

    /// The work failed for good; whoever claims it again is told the error. For a failure that
    /// another try may mend, [`release`](Self::release) it.
    pub async fn fail(self, error: impl Into<Bytes>) -> FinishOutcome {
        self.record(ExecutionOutcome::Failed(error.into())).await
    }

    /// The work is not done, and is free for another try.
    pub async fn release(mut self) -> FinishOutcome {
        self.guard.ended();
        self.guard.finish().await
    }

    async fn record(mut self, outcome: ExecutionOutcome) -> FinishOutcome {
        self.guard.ended();
        let (status, body) = outcome.into_parts();
        let answer = RecordedResponse {
            fingerprint: self.fingerprint,
            status,
            headers: Headers::new(),
            body,
        };
        self.guard
            .complete(Record::Response(answer), self.retention)
            .await
    }
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution")
            .field("held_claim", &self.guard.held_claim())
            .finish_non_exhaustive()
    }
}
