//! Stores that reply late. A lease counts from when the store was asked: it may have been given at any
//! moment since, so from there on nobody is told that the claim lasts longer than it does.

use tokio::time::{Instant, sleep};

use super::*;

const LEASE: Duration = Duration::from_secs(30);
const LATE: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

async fn held_on(store: &Arc<Scripted>) -> (Claims, Guard, Arc<HeldClaim>) {
    let (claims, guard) = begun(store, keyed(LEASE, ExpiredLease::Reexecute)).await;
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    (claims, guard, held_claim)
}

#[tokio::test(start_paused = true)]
async fn lease_of_a_claim_answered_late_begins_when_the_store_was_asked() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Late(LATE), [Does::Yes]);
    let asked = Instant::now();
    let (_claims, _guard, held_claim) = held_on(&store).await;
    assert_eq!((asked.elapsed(), held_claim.age()), (LATE, LATE));
    held_claim.lost().await;
    assert_eq!(asked.elapsed(), LEASE);
}

#[tokio::test(start_paused = true)]
async fn lease_of_a_renewal_answered_late_begins_when_the_store_was_asked() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Late(LATE)], [Does::Yes]);
    let (_claims, _guard, held_claim) = held_on(&store).await;
    sleep(LEASE / 2).await;
    let asked = Instant::now();
    held_claim.fencing_token().await.unwrap();
    assert_eq!((asked.elapsed(), held_claim.age()), (LATE, LATE));
    held_claim.lost().await;
    assert_eq!(asked.elapsed(), LEASE);
}

#[tokio::test(start_paused = true)]
async fn renewal_answered_late_does_not_shorten_the_lease_of_a_later_one() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Late(LATE), Does::Yes], [Does::Yes]);
    let (_claims, _guard, held_claim) = held_on(&store).await;
    let asked_first = Instant::now();
    let later = async {
        sleep(SECOND).await;
        held_claim.fencing_token().await
    };
    let (first, second) = tokio::join!(held_claim.fencing_token(), later);
    assert!(first.is_ok() && second.is_ok());
    held_claim.lost().await;
    assert_eq!(asked_first.elapsed(), SECOND + LEASE);
}

#[tokio::test(start_paused = true)]
async fn release_on_a_store_that_answers_late_is_not_waited_for_beyond_one_call() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Hang, Does::Yes]);
    let (claims, guard, _held_claim) = held_on(&store).await;
    let asked = Instant::now();
    assert_eq!(guard.finish().await, FinishOutcome::Deferred);
    assert_eq!(asked.elapsed(), crate::store::LIMIT);
    assert!(claims.drain(LEASE).await);
    assert_eq!(store.released(), 2);
}

#[tokio::test(start_paused = true)]
async fn completion_on_a_store_that_answers_late_is_not_waited_for_beyond_one_call() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Hang, Does::Yes]);
    let (claims, guard, _held_claim) = held_on(&store).await;
    let asked = Instant::now();
    assert_eq!(
        guard.complete(answer(1), LEASE).await,
        FinishOutcome::Deferred
    );
    assert_eq!(asked.elapsed(), crate::store::LIMIT);
    assert!(claims.drain(LEASE).await);
    assert_eq!((store.completed().len(), store.released()), (2, 0));
}
