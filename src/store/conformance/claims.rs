//! Claiming and releasing.

use super::*;

pub(super) async fn check<S: Store>(store: &S) {
    join_all([
        boxed(of_many_claims_one_wins(store)),
        boxed(a_repeated_claim_recognises_itself(store)),
        boxed(a_live_claim_is_reported(store)),
        boxed(another_fingerprint_is_reported_never_taken_over(store)),
        boxed(a_released_key_is_vacant(store)),
        boxed(keys_do_not_meet(store)),
    ])
    .await;
}

async fn of_many_claims_one_wins<S: Store>(store: &S) {
    for lock in [false, true] {
        let key = new_key();
        let claims: Vec<_> = (0..50)
            .map(|_| match lock {
                true => NewClaim::lock(key.clone(), LONG),
                false => claim_on(&key, LONG),
            })
            .collect();
        let begun = join_all(claims.iter().map(|claim| begin(store, claim))).await;
        let won = begun
            .iter()
            .filter(|begun| matches!(begun, Begin::Claimed { .. }));
        assert_eq!(
            won.count(),
            1,
            "of many claims for one key exactly one wins"
        );
    }
}

async fn a_repeated_claim_recognises_itself<S: Store>(store: &S) {
    let claim = claim_on(&new_key(), LONG);
    assert_eq!(must_claim(store, &claim).await, 1);
    assert_eq!(must_claim(store, &claim).await, 1);
}

async fn a_live_claim_is_reported<S: Store>(store: &S) {
    for fingerprint in [Some(Fingerprint::digest("same")), None] {
        let key = new_key();
        let mut first = claim_on(&key, LONG);
        first.fingerprint = fingerprint;
        must_claim(store, &first).await;
        let mut second = claim_on(&key, SHORT);
        second.fingerprint = fingerprint;
        match begin(store, &second).await {
            Begin::InFlight {
                by,
                fingerprint: of,
                left,
            } => {
                assert_eq!(by, Some(ClaimId::new(first.token)));
                assert_eq!(of, fingerprint);
                let left = left.expect("an equal claim is told the time left");
                assert!(left > LONG / 2 && left <= LONG, "{left:?}");
            }
            other => panic!("the claim is live: {other:?}"),
        }
    }
}

async fn another_fingerprint_is_reported_never_taken_over<S: Store>(store: &S) {
    let key = new_key();
    let first = claim_on(&key, SHORT);
    must_claim(store, &first).await;
    let mut other = claim_on(&key, LONG);
    for _while_live_and_lapsed in 0..2 {
        for fingerprint in [Some(Fingerprint::digest("other")), None] {
            other.fingerprint = fingerprint;
            match begin(store, &other).await {
                Begin::InFlight { fingerprint, .. } | Begin::Expired { fingerprint } => {
                    assert_eq!(fingerprint, first.fingerprint);
                }
                begun => panic!("a claim that differs was not reported: {begun:?}"),
            }
        }
        sleep(AFTER_SHORT).await;
    }
}

async fn a_released_key_is_vacant<S: Store>(store: &S) {
    let key = new_key();
    let first = claim_on(&key, LONG);
    must_claim(store, &first).await;
    assert_eq!(release(store, &first).await, Held::Yes);
    assert_eq!(release(store, &first).await, Held::Lost);
    assert_eq!(renew(store, &first).await, None);
    let second = claim_on(&key, LONG);
    assert_eq!(
        must_claim(store, &second).await,
        1,
        "numbering starts again"
    );
}

async fn keys_do_not_meet<S: Store>(store: &S) {
    let digest: [u8; 32] = rand::random();
    for prefix in ["conformance:a:", "conformance:b:"] {
        must_claim(store, &claim_on(&StoreKey::new(prefix, digest), LONG)).await;
    }
}
