#![allow(clippy::expect_used, reason = "a test says what it expects")]
//! What every [`Store`] has to do, and every [`Inspect`], as tests that anybody can call.
//!
//! ```
//! use actix_web_idempotency::{MemoryStore, store::conformance};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! conformance::check(&MemoryStore::new()).await;
//! conformance::check_inspect(&MemoryStore::new()).await;
//! # }
//! ```
//!
//! Leases expire by the store's own clock, so a store with a real one takes about a second; one that follows
//! Tokio's can be checked in paused time. All keys are random, so stores may be shared.

mod claims;
mod inspection;
mod leases;
mod locks;
mod records;
mod walks;
mod watches;

use std::{future::Future, time::Duration};

use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::time::{Instant, sleep, timeout};

use crate::config::ExpiredLease;

use super::{
    Begin, ClaimId, Cursor, Held, Inspect, Inspected, NewClaim, Record, RecordedResponse, Renewed,
    Store, StoreKey, StoreTime, Tombstone,
};
use crate::fingerprint::Fingerprint;

/// Long enough that it never ends during a test.
const LONG: Duration = Duration::from_secs(120);
/// Soon over, on a store with a real clock too.
const SHORT: Duration = Duration::from_millis(100);
/// When something short is over for certain.
const AFTER_SHORT: Duration = Duration::from_millis(160);

/// Checks all that [`Store`] asks for, everything at once.
///
/// # Panics
///
/// When the store breaks its contract, with what it did.
pub async fn check<S: Store>(store: &S) {
    // Guards ask for it once.
    assert_eq!(
        store.completion(),
        store.completion(),
        "the statement of a store stays"
    );
    join_all([
        boxed(claims::check(store)),
        boxed(leases::check(store)),
        boxed(records::check(store)),
        boxed(locks::check(store)),
        boxed(watches::check(store)),
    ])
    .await;
}

/// Checks all that [`Inspect`] asks for besides, everything at once.
///
/// # Panics
///
/// When the store breaks its contract, with what it did.
pub async fn check_inspect<S: Inspect>(store: &S) {
    join_all([boxed(inspection::check(store)), boxed(walks::check(store))]).await;
}

fn boxed<'a>(case: impl Future<Output = ()> + 'a) -> LocalBoxFuture<'a, ()> {
    Box::pin(case)
}

/// Repeats a case for which the machine may be too slow, until it was fast enough: the case says whether it was,
/// before it asserts anything that depends on it.
async fn until_in_time(case: impl AsyncFn() -> bool) {
    for _try in 0..20 {
        if case().await {
            return;
        }
    }
    panic!("the store never replied within the leases of this suite");
}

/// A key that nothing else uses.
fn new_key() -> StoreKey {
    StoreKey::new("conformance:", rand::random())
}

fn claim_on(key: &StoreKey, lease: Duration) -> NewClaim {
    NewClaim {
        fingerprint: Some(Fingerprint::digest("same")),
        grace: LONG,
        ..NewClaim::lock(key.clone(), lease)
    }
}

fn record() -> Record {
    Record::Response(RecordedResponse {
        fingerprint: Some(Fingerprint::digest("same")),
        status: 201,
        headers: [("x-twice", b"one"), ("x-twice", b"t\xffo")]
            .into_iter()
            .collect(),
        body: Bytes::from_static(b"\x00binary\xff"),
    })
}

fn tombstone() -> Record {
    Record::Tombstone(Tombstone {
        fingerprint: Some(Fingerprint::digest("same")),
        status: Some(201),
        location: Some(Bytes::from_static(b"/orders/1")),
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
            assert_eq!(lease.grace(), claim.grace);
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
