use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use super::*;

const LEASE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn running(store: &Arc<Scripted>) -> (Claims, Guard) {
    begun(store, keyed(LEASE, ExpiredLease::Reexecute)).await
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_is_heard_ends_it() {
    let _here = BackgroundHere::here();
    for (says, settled) in [
        (Does::Yes, FinishOutcome::Confirmed),
        (Does::Lost, FinishOutcome::Lost),
    ] {
        let store = Scripted::giving([Does::Yes], [says]);
        let (claims, guard) = running(&store).await;
        assert_eq!(guard.complete(answer(1), DAY).await, settled);
        assert!(claims.drain(Duration::ZERO).await);
        assert_eq!((store.completed().len(), store.released()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_heard_goes_on_and_nothing_ever_releases() {
    let _here = BackgroundHere::here();
    for failure in [Does::Refuse, Does::Time, Does::Hang] {
        let store = Scripted::giving([Does::Yes], [failure, failure, failure, Does::Yes]);
        let (claims, guard) = running(&store).await;
        assert_eq!(
            guard.complete(answer(1), DAY).await,
            FinishOutcome::Deferred
        );
        assert!(claims.drain(DAY).await);
        assert_eq!(
            (store.completed().len(), store.released()),
            (4, 0),
            "{failure:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_dropped_with_an_answer_records_it() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Hang, Does::Yes]);
    let (claims, guard) = running(&store).await;
    // Dropped while it is under way: that call may have been carried out, or not.
    assert!(guard.complete(answer(1), DAY).now_or_never().is_none());
    assert!(claims.drain(DAY).await);
    assert_eq!((store.completed().len(), store.released()), (2, 0));

    let (claims, mut guard) = running(&store).await;
    guard.answered(answer(1), DAY);
    drop(guard);
    assert!(claims.drain(DAY).await);
    assert_eq!((store.completed().len(), store.released()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn it_is_given_up_after_ten_minutes() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Refuse]);
    let (claims, guard) = running(&store).await;
    let begun = Instant::now();
    guard.complete(answer(1), DAY).await;
    assert!(claims.drain(DAY).await);
    let minutes = begun.elapsed().as_secs() / 60;
    assert_eq!(minutes, 10);
    assert_eq!(store.released(), 0);
    let tried = store.completed().len();
    assert!((600..1300).contains(&tried), "{tried} tries");
}

#[tokio::test(start_paused = true)]
async fn the_claim_is_renewed_until_its_answer_is_recorded() {
    let _here = BackgroundHere::here();
    let away = std::iter::repeat_n(Does::Refuse, 120);
    let store = Scripted::giving([Does::Yes], away.chain([Does::Yes]));
    let (claims, mut guard) = running(&store).await;
    claims.keep_renewed(&mut guard, DAY);
    guard.complete(answer(1), DAY).await;
    assert!(claims.drain(DAY).await);
    assert!(store.renewed() >= 3, "{}", store.renewed());
    let renewed = store.renewed();
    sleep(DAY).await;
    assert_eq!(store.renewed(), renewed);
}

#[tokio::test(start_paused = true)]
async fn short_of_bytes_the_fact_is_recorded_without_the_answer() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Refuse, Does::Yes]);
    let (claims, guard) = running(&store).await;
    // More than may wait in this process, all responses together.
    guard.complete(answer(65 * 1024 * 1024), DAY).await;
    assert!(claims.drain(DAY).await);
    match &store.completed()[..] {
        [Record::Response(_), Record::Tombstone(tombstone)] => {
            assert_eq!(tombstone.status, Some(201))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cut_off_is_released_or_left_to_lapse() {
    let _here = BackgroundHere::here();
    for (policy, released) in [(ExpiredLease::Reexecute, 1), (ExpiredLease::Refuse, 0)] {
        let store = Scripted::giving([Does::Yes], [Does::Yes]);
        let (claims, mut guard) = begun(&store, keyed(LEASE, policy)).await;
        claims.keep_renewed(&mut guard, DAY);
        drop(guard);
        assert!(claims.drain(DAY).await);
        sleep(DAY).await;
        assert_eq!(
            (store.released(), store.renewed()),
            (released, 0),
            "{policy:?}"
        );

        // Whatever the policy, what has ended without a response to keep is free.
        let (claims, mut guard) = begun(&store, keyed(LEASE, policy)).await;
        guard.free_on_drop();
        drop(guard);
        assert!(claims.drain(DAY).await);
        assert_eq!(store.released(), released + 1);
    }
}
