//! Leases that expire, are renewed and taken over.

use super::*;

pub(super) async fn check<S: Store>(store: &S) {
    join_all([
        boxed(a_lapsed_claim_is_taken_over_as_the_next_attempt(store)),
        boxed(a_lapsed_claim_is_reported_on_request(store)),
        boxed(a_lapsed_claim_is_forgotten_after_its_afterlife(store)),
        boxed(a_renewed_claim_lives_on(store)),
        boxed(renewed_claim_lapses_and_keeps_its_grace_period(store)),
        boxed(renewed_claim_is_forgotten_after_its_grace_period(store)),
        boxed(a_loser_changes_nothing(store)),
        boxed(an_owner_may_end_its_lapsed_claim(store)),
        boxed(later_owners_are_told_later_times(store)),
    ])
    .await;
}

async fn a_lapsed_claim_is_taken_over_as_the_next_attempt<S: Store>(store: &S) {
    let key = new_key();
    for attempt in 1..=3 {
        let claim = claim_on(&key, SHORT);
        assert_eq!(must_claim(store, &claim).await, attempt);
        sleep(AFTER_SHORT).await;
    }
    let last = claim_on(&key, LONG);
    assert_eq!(must_claim(store, &last).await, 4);
    assert_eq!(must_claim(store, &last).await, 4, "it recognises itself");
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
}

async fn a_lapsed_claim_is_reported_on_request<S: Store>(store: &S) {
    let key = new_key();
    let dead = claim_on(&key, SHORT);
    must_claim(store, &dead).await;
    sleep(AFTER_SHORT).await;
    let mut next = claim_on(&key, LONG);
    next.on_expired_lease = ExpiredLease::Refuse;
    for _again in 0..2 {
        match begin(store, &next).await {
            Begin::Expired { fingerprint } => assert_eq!(fingerprint, dead.fingerprint),
            other => panic!("the claim has lapsed: {other:?}"),
        }
    }
}

async fn a_lapsed_claim_is_forgotten_after_its_afterlife<S: Store>(store: &S) {
    let key = new_key();
    let mut dead = claim_on(&key, SHORT);
    dead.grace = SHORT;
    must_claim(store, &dead).await;
    sleep(AFTER_SHORT + SHORT).await;
    let mut other = claim_on(&key, LONG);
    other.fingerprint = Some(Fingerprint::digest("other"));
    assert_eq!(must_claim(store, &other).await, 1);
}

async fn a_renewed_claim_lives_on<S: Store>(store: &S) {
    const LEASE: Duration = Duration::from_secs(1);
    until_in_time(async || {
        let key = new_key();
        let claim = claim_on(&key, LEASE);
        must_claim(store, &claim).await;
        sleep(SHORT * 6).await;
        let renewed = Instant::now();
        assert!(renew(store, &claim).await.is_some());
        let met = begin(store, &claim_on(&key, LONG)).await;
        if renewed.elapsed() >= SHORT * 4 {
            return false;
        }
        match met {
            Begin::InFlight {
                left: Some(left), ..
            } => assert!(left > SHORT * 4, "{left:?} are left of a renewed lease"),
            other => panic!("the claim is live: {other:?}"),
        }
        sleep(SHORT * 5).await;
        let met = begin(store, &claim_on(&key, LONG)).await;
        if renewed.elapsed() >= LEASE {
            return false;
        }
        assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
        true
    })
    .await;
}

async fn renewed_claim_lapses_and_keeps_its_grace_period<S: Store>(store: &S) {
    let key = new_key();
    let dead = claim_on(&key, SHORT);
    must_claim(store, &dead).await;
    assert!(renew(store, &dead).await.is_some());
    sleep(AFTER_SHORT).await;
    let mut other = claim_on(&key, LONG);
    other.fingerprint = Some(Fingerprint::digest("other"));
    match begin(store, &other).await {
        Begin::InFlight { fingerprint, .. } | Begin::Expired { fingerprint } => {
            assert_eq!(fingerprint, dead.fingerprint);
        }
        begun => panic!("a renewed claim is remembered after its lease: {begun:?}"),
    }
    let mut next = claim_on(&key, LONG);
    next.on_expired_lease = ExpiredLease::Refuse;
    let begun = begin(store, &next).await;
    assert!(
        matches!(begun, Begin::Expired { .. }),
        "a renewed claim lapses at the end of its lease, and is remembered: {begun:?}"
    );
    assert_eq!(must_claim(store, &claim_on(&key, LONG)).await, 2);
}

async fn renewed_claim_is_forgotten_after_its_grace_period<S: Store>(store: &S) {
    until_in_time(async || {
        let key = new_key();
        let mut dead = claim_on(&key, SHORT);
        dead.grace = SHORT;
        let begun = Instant::now();
        must_claim(store, &dead).await;
        let renewed = renew(store, &dead).await;
        if begun.elapsed() >= SHORT * 2 {
            return false;
        }
        assert!(renewed.is_some());
        sleep(AFTER_SHORT + SHORT).await;
        assert_eq!(must_claim(store, &claim_on(&key, LONG)).await, 1);
        true
    })
    .await;
}

async fn a_loser_changes_nothing<S: Store>(store: &S) {
    let key = new_key();
    let loser = claim_on(&key, SHORT);
    must_claim(store, &loser).await;
    sleep(AFTER_SHORT).await;
    let winner = claim_on(&key, LONG);
    must_claim(store, &winner).await;

    assert_eq!(renew(store, &loser).await, None);
    assert_eq!(release(store, &loser).await, Held::Lost);
    assert_eq!(complete(store, &loser, LONG).await, Held::Lost);
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
    assert!(renew(store, &winner).await.is_some());
    assert_eq!(complete(store, &winner, LONG).await, Held::Yes);

    let late = Record::Tombstone(Tombstone {
        fingerprint: None,
        status: None,
        location: None,
    });
    let held = store.complete(&loser.lease(), &late, LONG).await;
    assert_eq!(held.expect("complete"), Held::Lost);
    must_be_finished(store, &key, &record()).await;
}

async fn an_owner_may_end_its_lapsed_claim<S: Store>(store: &S) {
    let (renewed, completed, released) = (
        claim_on(&new_key(), SHORT),
        claim_on(&new_key(), SHORT),
        claim_on(&new_key(), SHORT),
    );
    for claim in [&renewed, &completed, &released] {
        must_claim(store, claim).await;
    }
    sleep(AFTER_SHORT).await;
    assert!(
        renew(store, &renewed).await.is_some(),
        "nobody has taken it over"
    );
    assert_eq!(complete(store, &completed, LONG).await, Held::Yes);
    must_be_finished(store, &completed.key, &record()).await;
    assert_eq!(release(store, &released).await, Held::Yes);
    assert_eq!(must_claim(store, &claim_on(&released.key, LONG)).await, 1);
}

async fn later_owners_are_told_later_times<S: Store>(store: &S) {
    let key = new_key();
    let mut last = StoreTime(0);
    for _owner in 0..3 {
        let claim = claim_on(&key, LONG);
        must_claim(store, &claim).await;
        let at = renew(store, &claim).await.expect("it is held");
        assert!(at > last, "{at:?} is not after {last:?}");
        last = at;
        release(store, &claim).await;
    }
}
