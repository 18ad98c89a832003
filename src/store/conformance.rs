#![allow(clippy::expect_used, reason = "a test says what it expects")]
//! What every [`Store`] has to do, as a test that anybody can call.
//!
//! ```
//! use actix_idempotency::{MemoryStore, store::conformance};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! conformance::check(&MemoryStore::new()).await;
//! # }
//! ```
//!
//! Leases lapse on the store's own clock, so a store with a real one takes about a second; one
//! that follows Tokio's can be checked in paused time. All keys are random: stores may be shared.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, join, join_all};
use tokio::time::{sleep, timeout};

use super::{
    Answer, Begin, ClaimId, Held, NewClaim, OnLapsed, OwnerToken, Record, Renewed, Store, StoreKey,
    StoreTime, Tombstone,
};
use crate::Fingerprint;

/// Long enough that it never ends during a test.
const LONG: Duration = Duration::from_secs(120);
/// Soon over, on a store with a real clock too.
const SHORT: Duration = Duration::from_millis(100);
/// When something short is over for certain.
const AFTER_SHORT: Duration = Duration::from_millis(160);

/// Checks everything below, one after the other within each, all at once.
///
/// # Panics
///
/// When the store breaks its contract, with what it did.
pub async fn check<S: Store>(store: &S) {
    let claims = join_all([
        boxed(of_many_claims_one_wins(store)),
        boxed(a_repeated_claim_recognises_itself(store)),
        boxed(a_live_claim_is_reported(store)),
        boxed(another_fingerprint_is_reported_never_taken_over(store)),
        boxed(a_released_key_is_vacant(store)),
        boxed(keys_do_not_meet(store)),
    ]);
    let ends = join_all([
        boxed(a_lapsed_claim_is_taken_over_as_the_next_attempt(store)),
        boxed(a_lapsed_claim_is_reported_on_request(store)),
        boxed(a_lapsed_claim_is_forgotten_after_its_afterlife(store)),
        boxed(a_renewed_claim_lives_on(store)),
        boxed(a_loser_changes_nothing(store)),
        boxed(an_owner_may_end_its_lapsed_claim(store)),
        boxed(later_owners_are_told_later_times(store)),
    ]);
    let records = join_all([
        boxed(a_record_comes_back_as_it_went_in(store)),
        boxed(a_record_outlasts_its_lease_and_ends_with_its_retention(
            store,
        )),
        boxed(a_completion_repeats_itself_harmlessly(store)),
        boxed(a_completion_fills_a_vacant_place_but_no_other(store)),
        boxed(a_record_is_never_released(store)),
    ]);
    let locks_and_watches = join_all([
        boxed(a_lock_is_held_released_and_ends(store)),
        boxed(a_lock_is_released_by_its_owner_only(store)),
        boxed(a_watch_ends_with_what_it_watches(store)),
        boxed(a_watch_of_what_is_gone_ends_at_once(store)),
    ]);
    join(join(claims, ends), join(records, locks_and_watches)).await;
}

fn boxed<'a>(case: impl Future<Output = ()> + 'a) -> LocalBoxFuture<'a, ()> {
    Box::pin(case)
}

/// A key that nothing else uses.
fn new_key() -> StoreKey {
    StoreKey::new("conformance:", rand::random())
}

fn claim_on(key: &StoreKey, lease: Duration) -> NewClaim {
    NewClaim {
        key: key.clone(),
        token: OwnerToken::random(),
        fingerprint: Some(Fingerprint::of_bytes("same")),
        lease,
        afterlife: LONG,
        on_lapsed: OnLapsed::TakeOver,
    }
}

fn record() -> Record {
    Record::Answer(Answer {
        fingerprint: Some(Fingerprint::of_bytes("same")),
        status: 201,
        headers: vec![
            ("x-twice".to_owned(), Bytes::from_static(b"one")),
            ("x-twice".to_owned(), Bytes::from_static(b"t\xffo")),
        ],
        body: Bytes::from_static(b"\x00binary\xff"),
    })
}

async fn begin<S: Store>(store: &S, claim: &NewClaim) -> Begin {
    store.begin(claim).await.expect("begin")
}

/// Claims, and tells which attempt it is.
async fn must_claim<S: Store>(store: &S, claim: &NewClaim) -> u32 {
    match begin(store, claim).await {
        Begin::Claimed { lease, attempt } => {
            assert_eq!(lease.key(), &claim.key);
            assert_eq!(lease.token(), &claim.token);
            assert_eq!(lease.duration(), claim.lease);
            assert_eq!(lease.afterlife(), claim.afterlife);
            attempt.get()
        }
        other => panic!("the key should have been claimed: {other:?}"),
    }
}

async fn must_be_in_flight<S: Store>(store: &S, claim: &NewClaim) {
    let begun = begin(store, claim).await;
    assert!(matches!(begun, Begin::InFlight { .. }), "{begun:?}");
}

async fn must_be_finished<S: Store>(store: &S, key: &StoreKey, expected: &Record) {
    match begin(store, &claim_on(key, LONG)).await {
        Begin::Finished(found) => assert_eq!(&found, expected),
        other => panic!("there should have been a record: {other:?}"),
    }
}

async fn complete<S: Store>(store: &S, claim: &NewClaim, retention: Duration) -> Held {
    let completed = store.complete(&claim.lease(), &record(), retention).await;
    completed.expect("complete")
}

async fn release<S: Store>(store: &S, claim: &NewClaim) -> Held {
    store.release(&claim.lease()).await.expect("release")
}

async fn renew<S: Store>(store: &S, claim: &NewClaim) -> Option<StoreTime> {
    match store.renew(&claim.lease()).await.expect("renew") {
        Renewed::Yes { at } => Some(at),
        Renewed::Lost => None,
    }
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
    for fingerprint in [Some(Fingerprint::of_bytes("same")), None] {
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
                assert_eq!(by, Some(ClaimId::of(first.token)));
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
        for fingerprint in [Some(Fingerprint::of_bytes("other")), None] {
            other.fingerprint = fingerprint;
            match begin(store, &other).await {
                Begin::InFlight { fingerprint, .. } | Begin::Lapsed { fingerprint } => {
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

async fn a_lapsed_claim_is_taken_over_as_the_next_attempt<S: Store>(store: &S) {
    let key = new_key();
    for attempt in 1..=3 {
        let claim = claim_on(&key, SHORT);
        assert_eq!(must_claim(store, &claim).await, attempt);
        sleep(AFTER_SHORT).await;
    }
    let last = claim_on(&key, LONG);
    assert_eq!(must_claim(store, &last).await, 4);
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
}

async fn a_lapsed_claim_is_reported_on_request<S: Store>(store: &S) {
    let key = new_key();
    let dead = claim_on(&key, SHORT);
    must_claim(store, &dead).await;
    sleep(AFTER_SHORT).await;
    let mut next = claim_on(&key, LONG);
    next.on_lapsed = OnLapsed::Report;
    for _again in 0..2 {
        match begin(store, &next).await {
            Begin::Lapsed { fingerprint } => assert_eq!(fingerprint, dead.fingerprint),
            other => panic!("the claim has lapsed: {other:?}"),
        }
    }
}

async fn a_lapsed_claim_is_forgotten_after_its_afterlife<S: Store>(store: &S) {
    let key = new_key();
    let mut dead = claim_on(&key, SHORT);
    dead.afterlife = SHORT;
    must_claim(store, &dead).await;
    sleep(AFTER_SHORT + SHORT).await;
    let mut other = claim_on(&key, LONG);
    other.fingerprint = Some(Fingerprint::of_bytes("other"));
    assert_eq!(must_claim(store, &other).await, 1);
}

async fn a_renewed_claim_lives_on<S: Store>(store: &S) {
    let key = new_key();
    // Renewed long before it ends, so that a slow machine does not make it lapse.
    let claim = claim_on(&key, SHORT * 10);
    must_claim(store, &claim).await;
    sleep(SHORT * 6).await;
    assert!(renew(store, &claim).await.is_some());
    sleep(SHORT * 6).await;
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
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

async fn a_record_comes_back_as_it_went_in<S: Store>(store: &S) {
    let records = [
        record(),
        Record::Answer(Answer {
            fingerprint: None,
            status: 204,
            headers: vec![],
            body: Bytes::new(),
        }),
        Record::Tombstone(Tombstone {
            fingerprint: Some(Fingerprint::of_bytes("same")),
            status: Some(201),
            location: Some(Bytes::from_static(b"/orders/1")),
        }),
        Record::Tombstone(Tombstone {
            fingerprint: None,
            status: None,
            location: None,
        }),
    ];
    for record in records {
        let claim = claim_on(&new_key(), LONG);
        must_claim(store, &claim).await;
        let held = store.complete(&claim.lease(), &record, LONG).await;
        assert_eq!(held.expect("complete"), Held::Yes);
        must_be_finished(store, &claim.key, &record).await;
    }
}

async fn a_record_outlasts_its_lease_and_ends_with_its_retention<S: Store>(store: &S) {
    let (kept, ended) = (claim_on(&new_key(), SHORT), claim_on(&new_key(), LONG));
    must_claim(store, &kept).await;
    must_claim(store, &ended).await;
    complete(store, &kept, LONG).await;
    complete(store, &ended, SHORT).await;
    sleep(AFTER_SHORT).await;
    must_be_finished(store, &kept.key, &record()).await;
    assert_eq!(must_claim(store, &claim_on(&ended.key, LONG)).await, 1);
}

async fn a_completion_repeats_itself_harmlessly<S: Store>(store: &S) {
    let claim = claim_on(&new_key(), LONG);
    must_claim(store, &claim).await;
    for _again in 0..2 {
        assert_eq!(complete(store, &claim, LONG).await, Held::Yes);
    }
    must_be_finished(store, &claim.key, &record()).await;
}

async fn a_completion_fills_a_vacant_place_but_no_other<S: Store>(store: &S) {
    let vacant = claim_on(&new_key(), LONG);
    assert_eq!(complete(store, &vacant, LONG).await, Held::Yes);
    must_be_finished(store, &vacant.key, &record()).await;

    let key = new_key();
    must_claim(store, &claim_on(&key, LONG)).await;
    assert_eq!(
        complete(store, &claim_on(&key, LONG), LONG).await,
        Held::Lost
    );
    must_be_in_flight(store, &claim_on(&key, LONG)).await;
}

async fn a_record_is_never_released<S: Store>(store: &S) {
    let claim = claim_on(&new_key(), LONG);
    must_claim(store, &claim).await;
    complete(store, &claim, LONG).await;
    assert_eq!(release(store, &claim).await, Held::Lost);
    assert_eq!(renew(store, &claim).await, None);
    must_be_finished(store, &claim.key, &record()).await;
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

async fn a_watch_ends_with_what_it_watches<S: Store>(store: &S) {
    enum End {
        Complete,
        Release,
        Lapse,
    }
    let watch_until = async |end: End| {
        let lease = if matches!(end, End::Lapse) {
            SHORT
        } else {
            LONG
        };
        let claim = claim_on(&new_key(), lease);
        must_claim(store, &claim).await;
        let seen = ClaimId::of(claim.token);
        let mut watch = Box::pin(store.changed(&claim.key, &seen));
        if !matches!(end, End::Lapse) {
            let early = timeout(SHORT / 2, &mut watch).await;
            assert!(early.is_err(), "nothing has changed yet");
        }
        match end {
            End::Complete => assert_eq!(complete(store, &claim, LONG).await, Held::Yes),
            End::Release => assert_eq!(release(store, &claim).await, Held::Yes),
            End::Lapse => {}
        }
        let ended = timeout(Duration::from_secs(20), watch).await;
        ended.expect("the watch ends").expect("changed");
    };
    for end in [End::Complete, End::Release, End::Lapse] {
        watch_until(end).await;
    }
}

async fn a_watch_of_what_is_gone_ends_at_once<S: Store>(store: &S) {
    let key = new_key();
    let seen = claim_on(&key, LONG);
    store
        .changed(&key, &ClaimId::of(seen.token))
        .await
        .expect("vacant");
    must_claim(store, &claim_on(&key, LONG)).await;
    store
        .changed(&key, &ClaimId::of(seen.token))
        .await
        .expect("another's");
}
