//! Looking up, forced releases and deletions.

use super::{walks::list, *};

pub(super) async fn check<S: Inspect>(store: &S) {
    join_all([
        boxed(a_vacant_key_holds_nothing(store)),
        boxed(a_lock_is_told(store)),
        boxed(a_live_claim_is_told(store)),
        boxed(a_lapsed_claim_is_told_and_so_is_the_next_attempt(store)),
        boxed(a_record_is_told(store)),
        boxed(what_has_ended_is_not_told(store)),
        boxed(a_claim_is_released_by_force(store)),
        boxed(who_was_released_by_force_finds_out(store)),
        boxed(a_record_is_never_released_by_force(store)),
        boxed(a_deletion_removes_whatever_is_there(store)),
        boxed(who_waits_is_woken(store)),
    ])
    .await;
}

/// Looks a key up, and sees to it that a list says the same.
async fn told<S: Inspect>(store: &S, key: &StoreKey) -> Option<Inspected> {
    let told = store.look_up(key).await.expect("look_up");
    let listed = list(store, &key.to_string()).await.remove(key);
    match (&told, &listed) {
        (None, None) => {}
        (Some(told), Some(listed)) => {
            assert_eq!(without_times(told), without_times(listed));
        }
        (told, listed) => panic!("looked up: {told:?}, listed: {listed:?}"),
    }
    told
}

fn without_times(told: &Inspected) -> Inspected {
    let mut told = told.clone();
    match &mut told {
        Inspected::Lock { left } | Inspected::Finished { left, .. } => *left = Duration::ZERO,
        Inspected::Claim {
            lease_left,
            remembered_for,
            ..
        } => {
            *lease_left = lease_left.map(|_| Duration::ZERO);
            *remembered_for = Duration::ZERO;
        }
        Inspected::Unreadable => {}
    }
    told
}

async fn force_release<S: Inspect>(store: &S, key: &StoreKey) -> bool {
    store.force_release(key).await.expect("force_release")
}

async fn delete<S: Inspect>(store: &S, key: &StoreKey) -> bool {
    store.delete(key).await.expect("delete")
}

/// A claim, expired by the time it is returned.
async fn lapsed_claim<S: Store>(store: &S) -> NewClaim {
    let claim = claim_on(&new_key(), SHORT);
    must_claim(store, &claim).await;
    sleep(AFTER_SHORT).await;
    claim
}

/// The key of a record.
async fn finished<S: Store>(store: &S, record: &Record, retention: Duration) -> StoreKey {
    let claim = claim_on(&new_key(), LONG);
    must_claim(store, &claim).await;
    let held = store.complete(&claim.lease(), record, retention).await;
    assert_eq!(held.expect("complete"), Held::Yes);
    claim.key
}

#[track_caller]
fn assert_nearly(told: Duration, expected: Duration) {
    assert!(
        told > expected / 2 && told <= expected,
        "{told:?} are left instead of nearly {expected:?}"
    );
}

async fn a_vacant_key_holds_nothing<S: Inspect>(store: &S) {
    let key = new_key();
    assert_eq!(told(store, &key).await, None);
    assert!(!force_release(store, &key).await);
    assert!(!delete(store, &key).await);
}

async fn a_lock_is_told<S: Inspect>(store: &S) {
    let lock = NewClaim::lock(new_key(), LONG);
    must_claim(store, &lock).await;
    match told(store, &lock.key).await {
        Some(Inspected::Lock { left }) => assert_nearly(left, LONG),
        other => panic!("a lock is told as {other:?}"),
    }
}

async fn a_live_claim_is_told<S: Inspect>(store: &S) {
    for fingerprint in [Some(Fingerprint::digest("same")), None] {
        let mut claim = claim_on(&new_key(), LONG);
        claim.fingerprint = fingerprint;
        must_claim(store, &claim).await;
        match told(store, &claim.key).await {
            Some(Inspected::Claim {
                attempt,
                fingerprint: of,
                lease_left: Some(left),
                remembered_for,
            }) => {
                assert_eq!(attempt.get(), 1);
                assert_eq!(of, fingerprint);
                assert_nearly(left, LONG);
                assert_nearly(remembered_for, LONG + claim.grace);
            }
            other => panic!("a live claim is told as {other:?}"),
        }
    }
}

async fn a_lapsed_claim_is_told_and_so_is_the_next_attempt<S: Inspect>(store: &S) {
    let dead = lapsed_claim(store).await;
    match told(store, &dead.key).await {
        Some(Inspected::Claim {
            attempt,
            fingerprint,
            lease_left: None,
            remembered_for,
        }) => {
            assert_eq!(attempt.get(), 1);
            assert_eq!(fingerprint, dead.fingerprint);
            assert_nearly(remembered_for, dead.grace);
        }
        other => panic!("a lapsed claim is told as {other:?}"),
    }
    must_claim(store, &claim_on(&dead.key, LONG)).await;
    match told(store, &dead.key).await {
        Some(Inspected::Claim {
            attempt,
            lease_left: Some(_),
            ..
        }) => assert_eq!(attempt.get(), 2),
        other => panic!("a claim that was taken over is told as {other:?}"),
    }
}

async fn a_record_is_told<S: Inspect>(store: &S) {
    for kept in [record(), tombstone()] {
        let key = finished(store, &kept, LONG).await;
        match told(store, &key).await {
            Some(Inspected::Finished {
                status,
                fingerprint,
                size,
                left,
            }) => {
                match &kept {
                    Record::Response(answer) => {
                        assert_eq!((status, size), (Some(answer.status), Some(answer.size())));
                    }
                    Record::Tombstone(tombstone) => {
                        assert_eq!((status, size), (tombstone.status, None));
                    }
                }
                assert_eq!(fingerprint.as_ref(), kept.fingerprint());
                assert_nearly(left, LONG);
            }
            other => panic!("a record is told as {other:?}"),
        }
    }
}

async fn what_has_ended_is_not_told<S: Inspect>(store: &S) {
    let lock = NewClaim::lock(new_key(), SHORT);
    let mut claim = claim_on(&new_key(), SHORT / 2);
    claim.grace = SHORT / 2;
    must_claim(store, &lock).await;
    must_claim(store, &claim).await;
    let record = finished(store, &record(), SHORT).await;
    sleep(AFTER_SHORT).await;
    for key in [&lock.key, &claim.key, &record] {
        assert_eq!(told(store, key).await, None);
        assert!(!force_release(store, key).await);
        assert!(!delete(store, key).await);
    }
}

async fn a_claim_is_released_by_force<S: Inspect>(store: &S) {
    let lock = NewClaim::lock(new_key(), LONG);
    must_claim(store, &lock).await;
    let live = claim_on(&new_key(), LONG);
    must_claim(store, &live).await;
    let lapsed = lapsed_claim(store).await;
    for key in [&lock.key, &live.key, &lapsed.key] {
        assert!(force_release(store, key).await);
        assert!(!force_release(store, key).await, "it is gone");
        assert_eq!(told(store, key).await, None);
        let mut other = claim_on(key, LONG);
        other.fingerprint = Some(Fingerprint::digest("other"));
        assert_eq!(must_claim(store, &other).await, 1);
    }
    assert_eq!(release(store, &lock).await, Held::Lost);
}

async fn who_was_released_by_force_finds_out<S: Inspect>(store: &S) {
    let alone = claim_on(&new_key(), LONG);
    must_claim(store, &alone).await;
    assert!(force_release(store, &alone.key).await);
    assert_eq!(renew(store, &alone).await, None);
    assert_eq!(release(store, &alone).await, Held::Lost);
    assert_eq!(told(store, &alone.key).await, None);
    assert_eq!(complete(store, &alone, LONG).await, Held::Yes);
    must_be_finished(store, &alone.key, &record()).await;

    let replaced = claim_on(&new_key(), LONG);
    must_claim(store, &replaced).await;
    assert!(force_release(store, &replaced.key).await);
    let next = claim_on(&replaced.key, LONG);
    must_claim(store, &next).await;
    assert_eq!(renew(store, &replaced).await, None);
    assert_eq!(complete(store, &replaced, LONG).await, Held::Lost);
    assert!(renew(store, &next).await.is_some());
}

async fn a_record_is_never_released_by_force<S: Inspect>(store: &S) {
    for kept in [record(), tombstone()] {
        let key = finished(store, &kept, LONG).await;
        assert!(!force_release(store, &key).await);
        must_be_finished(store, &key, &kept).await;
    }
}

async fn a_deletion_removes_whatever_is_there<S: Inspect>(store: &S) {
    let lock = NewClaim::lock(new_key(), LONG);
    must_claim(store, &lock).await;
    let live = claim_on(&new_key(), LONG);
    must_claim(store, &live).await;
    let keys = [
        lock.key,
        live.key,
        lapsed_claim(store).await.key,
        finished(store, &record(), LONG).await,
        finished(store, &tombstone(), LONG).await,
    ];
    for key in &keys {
        assert!(delete(store, key).await);
        assert!(!delete(store, key).await, "it is gone");
        assert_eq!(told(store, key).await, None);
        assert_eq!(must_claim(store, &claim_on(key, LONG)).await, 1);
    }
}

async fn who_waits_is_woken<S: Inspect>(store: &S) {
    for by_force in [true, false] {
        let claim = claim_on(&new_key(), LONG);
        must_claim(store, &claim).await;
        let seen = ClaimId::new(claim.token);
        let mut watch = Box::pin(store.changed(&claim.key, &seen));
        let early = timeout(SHORT / 2, &mut watch).await;
        assert!(early.is_err(), "nothing has changed yet");
        assert!(match by_force {
            true => force_release(store, &claim.key).await,
            false => delete(store, &claim.key).await,
        });
        let ended = timeout(Duration::from_secs(20), watch).await;
        ended.expect("the watch ends").expect("changed");
    }
}
