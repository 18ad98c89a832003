//! The core without HTTP: work that is done once, wherever it comes from.

mod builder;
mod outcome;
mod run;

use std::{sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::time::Instant;

pub use self::{
    builder::OnceBuilder,
    outcome::{Claimed, Done},
    run::Run,
};
use crate::{
    claim::{ClaimOutcome, ClaimTerms, Claims},
    event::{EventBuilder, Outcome},
    fingerprint::Fingerprint,
    store::{NewClaim, Record, Store, StoreError, StoreKey},
};

/// A moment so far away that it makes no difference is as good as one that does not exist.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Does work once that does not come by HTTP: messages of a queue, jobs of a timer, items of a
/// batch. Queues deliver at least once, timers fire on every machine; with the same key on the same
/// store one of them proceeds, the others are told what became of it.
///
/// ```
/// use actix_web_idempotency::{Claimed, Done, Fingerprint, MemoryStore, Once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let once = Once::builder(MemoryStore::new()).key_prefix("invoices:").build()?;
/// let message = br#"{"order":7}"#;
///
/// for delivery in 1..=2 {
///     match once.claim("invoice-7", Some(Fingerprint::of_bytes(message))).await? {
///         Claimed::Proceed(run) => {
///             assert_eq!(delivery, 1);
///             // .. write the invoice ..
///             run.complete("invoice 2024-11").await;
///         }
///         Claimed::Replay(Done::Completed(result)) => assert_eq!(result, "invoice 2024-11"),
///         other => panic!("not in this example: {other:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// A claim is renewed in the background while its [`Run`] lives. A run that is dropped, by an error
/// or a panic, gives its key back, or lets its lease lapse with
/// [`LostOwner::Refuse`](crate::LostOwner::Refuse). Recipes: [a queue's
/// consumer](crate::guide::recipes::queue), [a batch import](crate::guide::recipes::batch);
/// `examples/queue.rs` is a whole consumer.
///
/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Once {
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    claims: Claims,
    key_prefix: Arc<str>,
    terms: ClaimTerms,
}

impl Once {
    /// On this store. Everything else has a default.
    pub fn builder(store: impl Store) -> OnceBuilder {
        OnceBuilder::new(store)
    }

    /// Claims the work that `key` names, a message's id, say. The fingerprint, of the message's
    /// body, say, tells a repetition from other work under the same name; without one every
    /// repetition counts.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked. Then nothing is claimed; a claim that gets through all the
    /// same is undone.
    pub async fn claim(
        &self,
        key: impl AsRef<[u8]>,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Claimed, StoreError> {
        let claim = Arc::new(self.new_claim(key.as_ref(), fingerprint));
        let mut notes = self.notes(&claim);
        let begun = self.settings.claims.begin(&claim).await;
        let begun = ClaimOutcome::noted(begun, None, &mut notes);
        self.claimed(begun, fingerprint, notes)
    }

    /// The same, and while another does the work waits for it to end, for `longest` at most.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked at first. Who waits already is not told.
    pub async fn claim_or_wait(
        &self,
        key: impl AsRef<[u8]>,
        fingerprint: Option<Fingerprint>,
        longest: Duration,
    ) -> Result<Claimed, StoreError> {
        let claim = Arc::new(self.new_claim(key.as_ref(), fingerprint));
        let mut notes = self.notes(&claim);
        let until = Instant::now() + longest.min(FAR);
        let claims = &self.settings.claims;
        let (begun, waited) = claims.begin_or_wait(&claim, until, usize::MAX).await;
        let begun = ClaimOutcome::noted(begun, waited, &mut notes);
        self.claimed(begun, fingerprint, notes)
    }

    /// Under what the work is kept in the store, for an operator who
    /// [inspects](crate::store::Inspect) it.
    pub fn stored_key(&self, key: impl AsRef<[u8]>) -> StoreKey {
        let prefix = Arc::clone(&self.settings.key_prefix);
        StoreKey::new(prefix, Sha256::digest(key).into())
    }

    /// Waits until everything that is in progress now has settled: runs, recordings and releases in
    /// the background. False when `limit` passed first. Await it before the process ends.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.settings.claims.drain(limit).await
    }

    fn new_claim(&self, key: &[u8], fingerprint: Option<Fingerprint>) -> NewClaim {
        self.settings
            .terms
            .new_claim(self.stored_key(key), fingerprint)
    }

    fn notes(&self, claim: &NewClaim) -> EventBuilder {
        let mut notes = self.settings.claims.notes();
        notes.note(|event| event.key = Some(claim.key.clone()));
        notes
    }

    fn claimed(
        &self,
        begun: Result<ClaimOutcome, StoreError>,
        fingerprint: Option<Fingerprint>,
        mut notes: EventBuilder,
    ) -> Result<Claimed, StoreError> {
        notes.note(|event| event.outcome = outcome(&begun));
        Ok(match begun? {
            ClaimOutcome::Mine(mut guard) => {
                let settings = &self.settings;
                (settings.claims).keep_renewed(&mut guard, settings.terms.renew_for);
                let guard = guard.observed(notes);
                Claimed::Proceed(Run::new(guard, fingerprint, self.settings.terms.retention))
            }
            ClaimOutcome::InFlight { .. } => Claimed::InProgress,
            ClaimOutcome::Mismatch => Claimed::Mismatch,
            ClaimOutcome::Lapsed => Claimed::UnknownOutcome,
            ClaimOutcome::Finished(Record::Answer(answer)) => Claimed::Replay(Done::of(answer)),
            ClaimOutcome::Finished(Record::Tombstone(_)) | ClaimOutcome::Unreadable => {
                Claimed::NotStored
            }
        })
    }
}

/// What an observer is told of a claim.
fn outcome(begun: &Result<ClaimOutcome, StoreError>) -> Outcome {
    match begun {
        Ok(ClaimOutcome::Mine(_)) => Outcome::Executed,
        Ok(ClaimOutcome::InFlight { .. }) => Outcome::InFlight,
        Ok(ClaimOutcome::Mismatch) => Outcome::Mismatch,
        Ok(ClaimOutcome::Lapsed) => Outcome::Unknown,
        Ok(ClaimOutcome::Finished(Record::Answer(_))) => Outcome::Replayed,
        Ok(ClaimOutcome::Finished(Record::Tombstone(_)) | ClaimOutcome::Unreadable) => {
            Outcome::NotStored
        }
        Err(_) => Outcome::StoreError,
    }
}
