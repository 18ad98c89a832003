use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use super::*;

/// The longest pause between two looks of an undo.
const MOST_REST: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_claim_that_overtakes_its_undo_is_found_by_the_next() {
    let _here = BackgroundHere::here();
    // The undo arrives first, three times; then the claim is there.
    let store = Scripted::new(Does::Time, [Does::Lost, Does::Lost, Does::Lost, Does::Yes]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).await.is_err());
    assert!(claims.drain(TTL).await);
    assert_eq!(store.released(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_undo_goes_on_until_the_claim_cannot_come_any_more() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Time, [Does::Lost]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).await.is_err());
    sleep(TTL - Duration::from_secs(11)).await;
    let before = store.released();
    sleep(Duration::from_secs(11)).await;
    assert!(store.released() > before, "it may still come");
    sleep(MOST_REST).await;
    let at_the_end = store.released();
    assert!(at_the_end < 25, "{at_the_end} looks are too many");
    sleep(TTL).await;
    assert_eq!(store.released(), at_the_end);
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_claim_that_is_not_likely_to_come() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Time, [Does::Time, Does::Time, Does::Lost]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).await.is_err());
    let begun = Instant::now();
    assert!(claims.drain(TTL).await);
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "it was looked for"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_an_undo_does_not_give_up() {
    let _here = BackgroundHere::here();
    let away = std::iter::repeat_n(Does::Time, 200);
    let store = Scripted::new(Does::Time, away.chain([Does::Lost, Does::Lost, Does::Yes]));
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).await.is_err());
    assert!(claims.drain(TTL * 10).await);
    assert_eq!(
        store.released(),
        203,
        "longer than the claim would have lasted"
    );
}

/// How long an undo goes on at most.
const LONGEST: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn undo_on_a_store_that_never_answers_ends_after_ten_minutes() {
    let _here = BackgroundHere::here();
    for failure in [Does::Refuse, Does::Time, Does::Hang] {
        for ttl in [TTL, LONGEST * 10] {
            let store = Scripted::new(Does::Time, [failure]);
            let claims = Claims::new(Arc::clone(&store));
            let claim = NewClaim::lock(StoreKey::new("t:", [0; 32]), ttl);
            assert!(claims.begin(&claim.into()).await.is_err());
            let given_up = Instant::now();
            assert!(claims.drain(LONGEST * 10).await, "{failure:?}, {ttl:?}");
            let took = given_up.elapsed();
            let of_one_call = crate::store::LIMIT + Duration::from_secs(1);
            assert!(
                took >= LONGEST && took <= LONGEST + of_one_call,
                "{took:?}, {failure:?}, {ttl:?}"
            );
            let at_the_end = store.released();
            sleep(LONGEST).await;
            assert_eq!(store.released(), at_the_end);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn undo_ends_ten_minutes_after_its_claim_was_given_up_whenever_the_store_came_back() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Time, [Does::Time]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).await.is_err());
    sleep(LONGEST - TTL / 2).await;
    *store.release.lock().unwrap() = [Does::Lost].into();
    let at_its_return = store.released();
    sleep(TTL / 2 - MOST_REST).await;
    assert!(store.released() > at_its_return, "it is still looked for");
    sleep(MOST_REST * 2).await;
    let at_the_end = store.released();
    sleep(LONGEST).await;
    assert_eq!(store.released(), at_the_end);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_refused_leaves_nothing_to_undo() {
    let _here = BackgroundHere::here();
    for does in [Does::Refuse, Does::Lost] {
        let store = Scripted::new(does, [Does::Yes]);
        let claims = Claims::new(Arc::clone(&store));
        assert!(!matches!(
            claims.begin(&claim().into()).await,
            Ok(ClaimOutcome::Mine(_))
        ));
        assert!(claims.drain(Duration::ZERO).await);
        assert_eq!(store.released(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_dropped_under_way_is_undone() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Hang, [Does::Yes]);
    let claims = Claims::new(Arc::clone(&store));
    assert!(claims.begin(&claim().into()).now_or_never().is_none());
    assert!(claims.drain(TTL).await);
    assert_eq!(store.released(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_given_up() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Hang, [Does::Hang, Does::Yes]);
    let claims = Claims::new(Arc::clone(&store));
    let begun = Instant::now();
    let err = claims.begin(&claim().into()).await.unwrap_err();
    assert!(err.may_have_run());
    assert_eq!(begun.elapsed(), crate::store::LIMIT);
    assert!(claims.drain(TTL).await);
    assert_eq!(store.released(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_guard_releases_once_when_it_is_asked_to() {
    let _here = BackgroundHere::here();
    for does in [Does::Yes, Does::Lost] {
        let store = Scripted::new(Does::Yes, [does]);
        let (claims, guard) = held(&store).await;
        guard.finish().await;
        assert!(claims.drain(Duration::ZERO).await);
        assert_eq!(store.released(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_is_retried_until_the_lease_ends_it() {
    let _here = BackgroundHere::here();
    for failure in [Does::Refuse, Does::Time, Does::Hang] {
        let store = Scripted::new(Does::Yes, [failure, failure, failure, Does::Yes]);
        let (claims, guard) = held(&store).await;
        guard.finish().await;
        assert!(claims.drain(TTL).await);
        assert_eq!(store.released(), 4, "{failure:?}");

        let store = Scripted::new(Does::Yes, [failure]);
        let (claims, guard) = held(&store).await;
        let begun = Instant::now();
        guard.finish().await;
        assert!(claims.drain(TTL * 2).await);
        assert!(
            begun.elapsed() >= TTL - Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_is_dropped_anywhere_is_released() {
    let _here = BackgroundHere::here();
    let store = Scripted::new(Does::Yes, [Does::Hang, Does::Yes]);
    let (claims, guard) = held(&store).await;
    // Dropped while its release is under way: that call may not have arrived.
    assert!(guard.finish().now_or_never().is_none());
    assert!(claims.drain(TTL).await);
    assert_eq!(store.released(), 2);

    let (claims, guard) = held(&store).await;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _guard = guard;
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(panicked.is_err());
    sleep(Duration::from_secs(1)).await;
    assert!(claims.drain(Duration::ZERO).await);
    assert_eq!(store.released(), 3);
}

#[test]
fn a_guard_can_be_dropped_where_there_is_no_runtime() {
    let store = Scripted::new(Does::Yes, [Does::Yes]);
    let claims = Claims::new(Arc::clone(&store));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let guard = match runtime.block_on(claims.begin(&claim().into())) {
        Ok(ClaimOutcome::Mine(guard)) => guard,
        other => panic!("{other:?}"),
    };
    drop(runtime);
    std::thread::spawn(move || drop(guard)).join().unwrap();
    while store.released() == 0 {
        std::thread::yield_now();
    }
}

#[cfg(feature = "sql")]
#[tokio::test(start_paused = true)]
async fn release_of_a_commit_in_doubt_that_finds_no_claim_is_no_loss() {
    let _here = BackgroundHere::here();
    for (in_doubt, release, finish) in [
        (true, Does::Lost, FinishOutcome::Confirmed),
        (true, Does::Yes, FinishOutcome::Confirmed),
        (false, Does::Lost, FinishOutcome::Lost),
    ] {
        let store = Scripted::new(Does::Yes, [release]);
        let (_claims, guard) = held(&store).await;
        if in_doubt {
            guard.held_claim().unwrap().begin_commit().unwrap();
        }
        assert_eq!(guard.finish().await, finish, "{in_doubt} {release:?}");
        assert_eq!(store.released(), 1);
    }
}
