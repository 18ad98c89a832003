use tokio::time::{Instant, sleep};

use super::*;

const LEASE: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(600);

fn keyed_for(lease: Duration) -> NewClaim {
    keyed(lease, ExpiredLease::Reexecute)
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_ends_soon_costs_no_renewal() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Yes]);
    for _ in 0..3 {
        let (claims, mut guard) = begun(&store, keyed_for(LEASE)).await;
        claims.keep_renewed(&mut guard, LONG);
        sleep(LEASE / 3 - Duration::from_secs(2)).await;
        guard.finish().await;
        sleep(LONG).await;
    }
    assert_eq!(store.renewed(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_one_is_renewed_between_a_third_and_half_of_its_lease() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Yes]);
    let (claims, mut guard) = begun(&store, keyed_for(LEASE)).await;
    claims.keep_renewed(&mut guard, LONG);
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    let end = Instant::now() + LEASE * 10;
    while Instant::now() < end {
        assert!(held_claim.age() <= LEASE / 2, "{:?}", held_claim.age());
        assert!(!held_claim.is_lost());
        sleep(Duration::from_millis(100)).await;
    }
    let renewed = store.renewed();
    assert!(
        (20..=30).contains(&renewed),
        "{renewed} renewals in ten leases"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hung_one_is_renewed_no_longer_than_allowed() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Yes]);
    let (claims, mut guard) = begun(&store, keyed_for(LEASE)).await;
    claims.keep_renewed(&mut guard, LONG);
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    let begun = Instant::now();
    held_claim.lost().await;
    let held = begun.elapsed();
    assert!(held >= LONG && held <= LONG + LEASE, "{held:?}");
    let renewed = store.renewed();
    sleep(LONG).await;
    assert_eq!(store.renewed(), renewed);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_lease_that_comes_later_is_renewed_in_time() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Yes], [Does::Yes]);
    let (claims, mut long) = begun(&store, keyed_for(LEASE)).await;
    claims.keep_renewed(&mut long, LONG);
    sleep(Duration::from_millis(100)).await;
    let short = Duration::from_millis(600);
    let Ok(ClaimOutcome::Mine(mut guard)) = claims.begin(&keyed_for(short).into()).await else {
        panic!("it is claimed");
    };
    claims.keep_renewed(&mut guard, LONG);
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    for _ in 0..100 {
        assert!(
            held_claim.age() <= short / 2 + Duration::from_millis(1),
            "{:?}",
            held_claim.age()
        );
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_again_and_a_lost_claim_is_not() {
    let _here = BackgroundHere::here();
    let moods = [
        Does::Refuse,
        Does::Hang,
        Does::Time,
        Does::Yes,
        Does::Lost,
        Does::Yes,
    ];
    let store = Scripted::giving(moods, [Does::Yes]);
    let (claims, mut guard) = begun(&store, keyed_for(LEASE)).await;
    claims.keep_renewed(&mut guard, LONG);
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    sleep(LEASE).await;
    assert_eq!(
        store.renewed(),
        4,
        "every time it failed it was asked again, and then was well"
    );
    assert!(!held_claim.is_lost());
    held_claim.lost().await;
    assert_eq!(store.renewed(), 5);
    sleep(LONG).await;
    assert_eq!(store.renewed(), 5);
}

#[tokio::test(start_paused = true)]
async fn without_a_store_a_claim_is_lost_when_its_lease_has_run_out() {
    let _here = BackgroundHere::here();
    let store = Scripted::giving([Does::Refuse], [Does::Yes]);
    let (claims, mut guard) = begun(&store, keyed_for(LEASE)).await;
    claims.keep_renewed(&mut guard, LONG);
    let held_claim = Arc::clone(guard.held_claim().unwrap());
    let begun = Instant::now();
    held_claim.lost().await;
    assert_eq!(begun.elapsed(), LEASE);
}
