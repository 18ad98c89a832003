#![allow(
    clippy::expect_used,
    reason = "a measurement ends where anything is wrong"
)]
//! A claim and its release on the memory store, alone and against another thread, among few and
//! among many live keys.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use actix_web_idempotency::{
    Fingerprint, MemoryStore,
    store::{Begin, Lease, NewClaim, Store, StoreKey},
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;

const TTL: Duration = Duration::from_secs(600);

fn key(prefix: &Arc<str>, number: u64) -> StoreKey {
    let digest = Fingerprint::digest(number.to_be_bytes());
    StoreKey::new(Arc::clone(prefix), *digest.as_bytes())
}

fn filled(live: u64) -> MemoryStore {
    let store = MemoryStore::builder().max_entries(2_000_000).build();
    let store = store.expect("it may hold some");
    let prefix = Arc::from("live:");
    for number in 0..live {
        claim(&store, &NewClaim::lock(key(&prefix, number), TTL));
    }
    store
}

fn claim(store: &MemoryStore, claim: &NewClaim) -> Lease {
    let begun = store.begin(claim).now_or_never();
    match begun.expect("nothing is waited for") {
        Ok(Begin::Claimed { lease, .. }) => lease,
        other => panic!("the key is free and there is room: {other:?}"),
    }
}

/// Goes through keys that nobody else uses.
struct Claims {
    store: MemoryStore,
    claims: Vec<NewClaim>,
    next: usize,
}

impl Claims {
    fn new(store: &MemoryStore, name: &str) -> Self {
        let prefix = Arc::from(name);
        let claims = (0..4096).map(|number| NewClaim::lock(key(&prefix, number), TTL));
        Self {
            store: store.clone(),
            claims: claims.collect(),
            next: 0,
        }
    }

    fn claim_and_release(&mut self) {
        self.next = (self.next + 1) % self.claims.len();
        let one = &self.claims[self.next];
        let lease = claim(&self.store, one);
        let released = self.store.release(&lease).now_or_never();
        black_box(
            released
                .expect("nothing is waited for")
                .expect("it is there"),
        );
    }
}

fn claims(c: &mut Criterion) {
    let mut group = c.benchmark_group("memory store, claim and release");
    for live in [1_000, 1_000_000] {
        let store = filled(live);
        group.bench_function(BenchmarkId::new("one thread", live), |b| {
            let mut claims = Claims::new(&store, "one:");
            b.iter(|| claims.claim_and_release());
        });
        let stop = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let (mut claims, stop) = (Claims::new(&store, "other:"), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    claims.claim_and_release();
                }
            }
        });
        group.bench_function(BenchmarkId::new("each of two threads", live), |b| {
            let mut claims = Claims::new(&store, "one:");
            b.iter(|| claims.claim_and_release());
        });
        stop.store(true, Ordering::Relaxed);
        other.join().expect("it has come to its end");
    }
    group.finish();
}

criterion_group!(benches, claims);
criterion_main!(benches);
