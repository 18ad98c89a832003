//! Idempotency without HTTP: a [`Deduplicator`] runs work once, wherever it comes from.

mod builder;
mod execution;
mod outcome;

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::time::Instant;

pub use self::{
    builder::DeduplicatorBuilder,
    execution::Execution,
    outcome::{DedupOutcome, ExecutionOutcome},
};
pub use crate::{claim::FencingError, event::FinishOutcome};
use crate::{
    claim::{ClaimOutcome, ClaimTerms, Claims},
    event::{EventBuilder, Outcome},
    fingerprint::Fingerprint,
    store::{NewClaim, Record, Store, StoreError, StoreKey},
};

/// Clamped to 100 years so that `Instant` addition cannot overflow.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Runs work once that does not come by HTTP: messages of a queue, jobs of a timer, rows of a batch.
///
/// Queues deliver at least once, timers fire on every machine. Of all claims with one key on one store, one
/// executes; the others learn what became of it.
///
/// ```
/// use actix_web_idempotency::{
///     Fingerprint, MemoryStore,
///     dedup::{DedupOutcome, Deduplicator, ExecutionOutcome},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let deduplicator = Deduplicator::builder(MemoryStore::new()).key_prefix("invoices:").build()?;
/// let message = br#"{"order":7}"#;
///
/// for delivery in 1..=2 {
///     match deduplicator.claim("invoice-7", Some(Fingerprint::digest(message))).await? {
///         DedupOutcome::Execute(execution) => {
///             assert_eq!(delivery, 1);
///             // .. write the invoice ..
///             execution.complete("invoice 2024-11").await;
///         }
///         DedupOutcome::Replay(ExecutionOutcome::Completed(result)) => assert_eq!(result, "invoice 2024-11"),
///         other => panic!("not in this example: {other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// The lease of a claim is renewed in the background while its [`Execution`] lives. Recipes: [a queue's
/// consumer](crate::guide::recipes::queue), [a batch import](crate::guide::recipes::batch);
/// `examples/queue.rs` is a whole consumer.
///
/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Deduplicator {
    settings: Arc<DedupSettings>,
}

#[derive(Clone, Debug)]
struct DedupSettings {
    claims: Claims,
    key_prefix: Arc<str>,
    terms: ClaimTerms,
}

impl Deduplicator {
    /// Builds a deduplicator with all defaults.
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build_unchecked()
    }

    /// Returns a builder.
    pub fn builder(store: impl Store) -> DeduplicatorBuilder {
        DeduplicatorBuilder::new(store)
    }

    /// Claims the work that `key` names, for instance by a message's id. The fingerprint, for instance of the
    /// message's body, tells a retry from other work under the same key; without one all work under the key
    /// is the same.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked. Then nothing is claimed; a claim that the store carries out all the
    /// same is undone.
    pub async fn claim(
        &self,
        key: impl AsRef<[u8]>,
        fingerprint: Option<Fingerprint>,
    ) -> Result<DedupOutcome, StoreError> {
        let claim = Arc::new(self.new_claim(key.as_ref(), fingerprint));
        let mut event = self.begin_event(&claim);
        let begun = self.settings.claims.begin(&claim).await;
        let begun = ClaimOutcome::record_claim(begun, None, &mut event);
        self.claimed(begun, fingerprint, event)
    }

    /// Claims the work, and while another execution is in progress waits for it to end, for `longest` at most.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked at first. A wait that has begun goes on through an outage.
    pub async fn claim_or_wait(
        &self,
        key: impl AsRef<[u8]>,
        fingerprint: Option<Fingerprint>,
        longest: Duration,
    ) -> Result<DedupOutcome, StoreError> {
        let claim = Arc::new(self.new_claim(key.as_ref(), fingerprint));
        let mut event = self.begin_event(&claim);
        let until = Instant::now() + longest.min(FAR);
        let claims = &self.settings.claims;
        let (begun, waited) = claims.begin_or_wait(&claim, until, usize::MAX).await;
        let begun = ClaimOutcome::record_claim(begun, waited, &mut event);
        self.claimed(begun, fingerprint, event)
    }

    /// Returns the stored key of the work, for an operator who [inspects](crate::store::Inspect) the store.
    pub fn stored_key(&self, key: impl AsRef<[u8]>) -> StoreKey {
        let prefix = Arc::clone(&self.settings.key_prefix);
        StoreKey::new(prefix, Sha256::digest(key).into())
    }

    /// Waits until everything in progress now has ended: executions, and recordings and releases in the
    /// background. Returns `false` when `limit` passes first. Await it before the process ends.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.settings.claims.drain(limit).await
    }

    fn new_claim(&self, key: &[u8], fingerprint: Option<Fingerprint>) -> NewClaim {
        self.settings
            .terms
            .new_claim(self.stored_key(key), fingerprint)
    }

    fn begin_event(&self, claim: &NewClaim) -> EventBuilder {
        let mut event = self.settings.claims.begin_event();
        event.record(|event| event.key = Some(claim.key.clone()));
        event
    }

    fn claimed(
        &self,
        begun: Result<ClaimOutcome, StoreError>,
        fingerprint: Option<Fingerprint>,
        mut event: EventBuilder,
    ) -> Result<DedupOutcome, StoreError> {
        event.record(|event| event.outcome = outcome(&begun));
        Ok(match begun? {
            ClaimOutcome::Mine(mut guard) => {
                let settings = &self.settings;
                (settings.claims).keep_renewed(&mut guard, settings.terms.renew_for);
                let guard = guard.observed(event);
                DedupOutcome::Execute(Execution::new(
                    guard,
                    fingerprint,
                    self.settings.terms.retention,
                ))
            }
            ClaimOutcome::InFlight { .. } => DedupOutcome::InFlight,
            ClaimOutcome::Mismatch => DedupOutcome::Mismatch,
            ClaimOutcome::Expired => DedupOutcome::OutcomeUnknown,
            ClaimOutcome::Finished(Record::Response(answer)) => {
                DedupOutcome::Replay(ExecutionOutcome::from_response(answer))
            }
            ClaimOutcome::Finished(Record::Tombstone(_)) | ClaimOutcome::Unreadable => {
                DedupOutcome::NotStored
            }
        })
    }
}

/// The outcome of a claim as an observer receives it.
fn outcome(begun: &Result<ClaimOutcome, StoreError>) -> Outcome {
    match begun {
        Ok(ClaimOutcome::Mine(_)) => Outcome::Executed,
        Ok(ClaimOutcome::InFlight { .. }) => Outcome::InFlight,
        Ok(ClaimOutcome::Mismatch) => Outcome::Mismatch,
        Ok(ClaimOutcome::Expired) => Outcome::Unknown,
        Ok(ClaimOutcome::Finished(Record::Response(_))) => Outcome::Replayed,
        Ok(ClaimOutcome::Finished(Record::Tombstone(_)) | ClaimOutcome::Unreadable) => {
            Outcome::NotStored
        }
        Err(_) => Outcome::StoreError,
    }
}
