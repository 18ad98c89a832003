//! Claims that are nothing but locks.

use super::*;

pub(super) async fn check<S: Store>(store: &S) {
    join_all([
        boxed(a_lock_is_held_released_and_ends(store)),
        boxed(a_lock_is_released_by_its_owner_only(store)),
        boxed(a_lock_is_renewed_by_its_owner_only(store)),
    ])
    .await;
}

async fn a_lock_is_held_released_and_ends<S: Store>(store: &S) {
    let key = new_key();
    let first = NewClaim::lock(key.clone(), LONG);
    must_claim(store, &first).await;
    must_be_in_flight(store, &NewClaim::lock(key.clone(), LONG)).await;
    assert_eq!(release(store, &first).await, Held::Yes);

    let short = NewClaim::lock(key.clone(), SHORT);
    must_claim(store, &short).await;
    sleep(AFTER_SHORT).await;
    must_claim(store, &NewClaim::lock(key, LONG)).await;
    assert_eq!(release(store, &short).await, Held::Lost);
}

async fn a_lock_is_released_by_its_owner_only<S: Store>(store: &S) {
    let key = new_key();
    must_claim(store, &NewClaim::lock(key.clone(), LONG)).await;
    let other = NewClaim::lock(key.clone(), LONG);
    assert_eq!(release(store, &other).await, Held::Lost);
    must_be_in_flight(store, &other).await;
}

async fn a_lock_is_renewed_by_its_owner_only<S: Store>(store: &S) {
    const TTL: Duration = Duration::from_secs(1);
    until_in_time(async || {
        let key = new_key();
        let first = NewClaim::lock(key.clone(), TTL);
        let other = NewClaim::lock(key, LONG);
        let begun = Instant::now();
        must_claim(store, &first).await;
        sleep(SHORT * 6).await;
        assert_eq!(renew(store, &other).await, None);
        let renewing = Instant::now();
        let renewed = renew(store, &first).await;
        if begun.elapsed() >= TTL {
            return false;
        }
        assert!(renewed.is_some());
        sleep(SHORT * 5).await;
        let met = begin(store, &other).await;
        if renewing.elapsed() >= TTL {
            return false;
        }
        assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
        true
    })
    .await;
}
