//! Measures what a memory store holds for each claim and each record.

use std::time::Duration;

use actix_web_idempotency::{
    Fingerprint, MemoryStore,
    store::{NewClaim, Store, StoreKey},
};
use dhat::{Alloc, HeapStats, Profiler};
use parts::{Path, Subject};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc;

const MANY: usize = 100_000;
const TTL: Duration = Duration::from_secs(600);

#[actix_web::main]
async fn main() {
    let _counts = Profiler::builder().testing().build();
    let (claim, record) = per_entry().await;
    println!("A live claim takes {claim:.0} bytes, and a record of this answer {record:.0}.");
}

/// The bytes that a memory store holds for each of many claims and records.
async fn per_entry() -> (f64, f64) {
    let each = |before: &HeapStats, after: &HeapStats| {
        (after.curr_bytes - before.curr_bytes) as f64 / MANY as f64
    };
    let (claims, records) = (MemoryStore::new(), MemoryStore::new());
    let empty = HeapStats::get();
    for number in 0..MANY {
        let digest = Fingerprint::digest(number.to_be_bytes());
        let lock = NewClaim::lock(StoreKey::new("memory:", *digest.as_bytes()), TTL);
        drop(claims.begin(&lock).await);
    }
    let claimed = HeapStats::get();
    let subject = Subject::new(Path::FirstBytes, records.clone()).await;
    for number in 0..MANY {
        subject.call(Path::FirstBytes.request(number)).await;
    }
    let recorded = HeapStats::get();
    (each(&empty, &claimed), each(&claimed, &recorded))
}
