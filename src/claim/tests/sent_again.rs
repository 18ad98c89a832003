use tokio::time::{Instant, sleep};

use super::*;

fn sent_twice() -> Arc<NewClaim> {
    let claim = claim();
    claim.notes.sent_again();
    Arc::new(claim)
}

async fn held_after_two_tries(store: &Arc<Scripted>) -> (Claims, Guard) {
    let claims = Claims::new(Arc::clone(store));
    match claims.begin(&sent_twice()).await {
        Ok(ClaimOutcome::Mine(guard)) => (claims, guard),
        other => panic!("{other:?}"),
    }
}

fn answer() -> Record {
    Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: Headers::new(),
        body: bytes::Bytes::new(),
    })
}

#[tokio::test(start_paused = true)]
async fn release_that_loses_its_connection_is_tried_once_more() {
    let _here = BackgroundHere::here();
    for (second, settled) in [
        (Does::Yes, FinishOutcome::Confirmed),
        // The first try has freed it.
        (Does::Lost, FinishOutcome::Confirmed),
        (Does::HangUp, FinishOutcome::Deferred),
        (Does::Refuse, FinishOutcome::Deferred),
    ] {
        let store = Scripted::new(Does::Yes, [Does::HangUp, second, Does::Yes]);
        let (claims, guard) = held(&store).await;
        assert_eq!(guard.finish().await, settled, "{second:?}");
        assert!(claims.drain(TTL).await);
        let tries = if settled == FinishOutcome::Confirmed {
            2
        } else {
            3
        };
        assert_eq!(store.released(), tries, "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn second_release_ends_within_the_limit_of_the_first() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::HangUp, Does::Hang]);
    let (_claims, guard) = held(&store).await;
    let begun = Instant::now();
    assert_eq!(guard.finish().await, FinishOutcome::Deferred);
    assert_eq!(begun.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn release_that_times_out_is_not_repeated_at_once() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Time, Does::Yes]);
    let (_claims, guard) = held(&store).await;
    assert_eq!(guard.finish().await, FinishOutcome::Deferred);
    assert_eq!(store.released(), 1);
}

#[tokio::test(start_paused = true)]
async fn undo_of_a_claim_sent_twice_goes_on_after_a_find() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Time, [Does::Yes, Does::Lost, Does::Yes, Does::Lost]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&sent_twice()).await.is_err());
    assert!(claims.drain(TTL).await);
    sleep(TTL - Duration::from_secs(11)).await;
    let before = store.released();
    sleep(Duration::from_secs(11)).await;
    assert!(store.released() > before, "the other copy may still come");
    sleep(TTL).await;
    let at_the_end = store.released();
    assert!(at_the_end < 25, "{at_the_end} looks are too many");
    sleep(TTL).await;
    assert_eq!(store.released(), at_the_end);
}

#[tokio::test(start_paused = true)]
async fn freed_run_of_a_claim_sent_twice_leaves_an_undo() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Yes, Does::Lost]);
    let (_claims, guard) = held_after_two_tries(&store).await;
    assert_eq!(guard.finish().await, FinishOutcome::Confirmed);
    sleep(TTL).await;
    assert!(store.released() > 5, "{}", store.released());
}

#[tokio::test(start_paused = true)]
async fn dropped_guard_of_a_claim_sent_twice_leaves_an_undo() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Yes, Does::Lost]);
    let (_claims, guard) = held_after_two_tries(&store).await;
    drop(guard);
    sleep(TTL).await;
    assert!(store.released() > 5, "{}", store.released());
}

#[tokio::test(start_paused = true)]
async fn refused_claim_that_was_sent_twice_leaves_an_undo() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Lost, [Does::Lost]);
    let claims = Claims::new(Arc::clone(&store));
    let begun = claims.begin(&sent_twice()).await;
    assert!(matches!(begun, Ok(ClaimOutcome::Unreadable)));
    sleep(TTL).await;
    assert!(store.released() > 5, "{}", store.released());
}

#[tokio::test(start_paused = true)]
async fn recorded_run_of_a_claim_sent_twice_leaves_nothing() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Yes]);
    let (_claims, guard) = held_after_two_tries(&store).await;
    assert_eq!(
        guard.complete(answer(), TTL).await,
        FinishOutcome::Confirmed
    );
    sleep(TTL).await;
    assert_eq!(store.released(), 0);
}

#[tokio::test(start_paused = true)]
async fn superseded_run_of_a_claim_sent_twice_leaves_an_undo() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Lost]);
    let (_claims, guard) = held_after_two_tries(&store).await;
    assert_eq!(guard.complete(answer(), TTL).await, FinishOutcome::Lost);
    sleep(TTL).await;
    assert!(store.released() > 5, "{}", store.released());

    let store = Scripted::giving([Does::Yes], [Does::Time, Does::Lost]);
    let (_claims, guard) = held_after_two_tries(&store).await;
    assert_eq!(guard.complete(answer(), TTL).await, FinishOutcome::Deferred);
    sleep(TTL).await;
    assert!(store.released() > 5, "{}", store.released());
}
