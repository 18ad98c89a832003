//! Claims that a test puts to a store itself, as a middleware would.

use std::time::{Duration, Instant};

use actix_web_idempotency::{
    Fingerprint,
    store::{Begin, ClaimId, Held, NewClaim, Record, Store, StoreError, StoreKey, Tombstone},
};
use tokio::task::JoinHandle;

use super::GENEROUS;

/// Longer than any of these tests.
pub(crate) const LONG: Duration = Duration::from_secs(120);
/// The longest duration of a call to the store, with what a loaded machine adds.
pub(crate) const BOUND: Duration = GENEROUS.saturating_add(Duration::from_millis(1500));
/// Less than the pause before a waiting duplicate looks without a notification.
pub(crate) const PUSHED: Duration = Duration::from_secs(4);

/// The claim number `n` under a prefix, as `Idempotency` makes it.
pub(crate) fn claim_under(prefix: &str, n: u8) -> NewClaim {
    NewClaim {
        fingerprint: Some(Fingerprint::digest("x")),
        grace: LONG,
        ..NewClaim::lock(StoreKey::new(prefix, [n; 32]), LONG)
    }
}

/// Claims, and asserts that the call is bounded.
pub(crate) async fn begin(store: &impl Store, claim: &NewClaim) -> Result<Begin, StoreError> {
    let begun = Instant::now();
    let outcome = store.begin(claim).await;
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    outcome
}

/// Claims a vacant key.
pub(crate) async fn take(store: &impl Store, claim: &NewClaim) {
    let outcome = begin(store, claim).await.unwrap();
    assert!(matches!(outcome, Begin::Claimed { .. }), "{outcome:?}");
}

/// Completes a claim with a tombstone.
pub(crate) async fn complete(store: &impl Store, claim: &NewClaim) {
    let record = Record::Tombstone(Tombstone {
        fingerprint: claim.fingerprint,
        status: Some(200),
        location: None,
    });
    let held = store.complete(&claim.lease(), &record, LONG).await;
    assert_eq!(held.unwrap(), Held::Yes);
}

pub(crate) async fn assert_finished(store: &impl Store, claim: &NewClaim) {
    let outcome = begin(store, claim).await.unwrap();
    assert!(matches!(outcome, Begin::Finished(_)), "{outcome:?}");
}

/// Waits for the end of a claim in a task.
pub(crate) fn watch(
    store: &(impl Store + Clone),
    claim: &NewClaim,
) -> JoinHandle<Result<(), StoreError>> {
    let (store, claim) = (store.clone(), claim.clone());
    tokio::spawn(async move { store.changed(&claim.key, &ClaimId::new(claim.token)).await })
}
