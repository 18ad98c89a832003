//! Counts what each path allocates beyond a bare handler.

use actix_web_idempotency::MemoryStore;
use dhat::{Alloc, HeapStats, Profiler};
use parts::{Path, Subject};

#[global_allocator]
static ALLOCATOR: Alloc = Alloc;

const TIMES: usize = 1000;

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
}

async fn per_request(path: Path) -> (f64, f64) {
    let subject = Subject::new(path, MemoryStore::new()).await;
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
