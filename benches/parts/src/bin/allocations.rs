//! Counts what each path allocates beyond a bare handler.

use std::time::Duration;

use actix_idempotency::{
    Fingerprint, MemoryStore,
    store::{NewClaim, Store, StoreKey},
};
use dhat::{Alloc, HeapStats, Profiler};
use parts::{Path, Subject};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc;

const TIMES: usize = 1000;
const TTL: Duration = Duration::from_secs(600);

#[actix_web::main]
async fn main() {
    let _counts = Profiler::builder().testing().build();
    let mut bare = None;
    println!("| path | allocations per request | beyond bare | bytes beyond bare |");
    println!("|---|---|---|---|");
    for path in Path::ALL {
        let (blocks, bytes) = per_request(path).await;
        let (bare_blocks, bare_bytes) = *bare.get_or_insert((blocks, bytes));
        let (more, more_bytes) = (blocks - bare_blocks, bytes - bare_bytes);
        println!(
            "| {} | {blocks:.1} | {more:.1} | {more_bytes:.0} |",
            path.name()
        );
    }
    let (claim, record) = per_entry().await;
    println!("\nA live claim takes {claim:.0} bytes, and a record of this answer {record:.0}.");
}

/// The bytes that a memory store holds for each of many claims and records.
async fn per_entry() -> (f64, f64) {
    const MANY: usize = 100_000;
    let each = |before: &HeapStats, after: &HeapStats| {
        (after.curr_bytes - before.curr_bytes) as f64 / MANY as f64
    };
    let (claims, records) = (MemoryStore::new(), MemoryStore::new());
    let empty = HeapStats::get();
    for number in 0..MANY {
        let digest = Fingerprint::of_bytes(number.to_be_bytes());
        let lock = NewClaim::lock(StoreKey::new("memory:", *digest.as_bytes()), TTL);
        drop(claims.begin(&lock).await);
    }
    let claimed = HeapStats::get();
    let subject = Subject::of(Path::FirstBytes, records.clone()).await;
    for number in 0..MANY {
        subject.call(Path::FirstBytes.request(number)).await;
    }
    let recorded = HeapStats::get();
    (each(&empty, &claimed), each(&claimed, &recorded))
}

async fn per_request(path: Path) -> (f64, f64) {
    let subject = Subject::of(path, MemoryStore::new()).await;
    for number in 0..TIMES {
        subject.call(path.request(number)).await;
    }
    let before = HeapStats::get();
    for number in TIMES..2 * TIMES {
        subject.call(path.request(number)).await;
    }
    let after = HeapStats::get();
    let each = |count: u64| count as f64 / TIMES as f64;
    (
        each(after.total_blocks - before.total_blocks),
        each(after.total_bytes - before.total_bytes),
    )
}
