#![allow(
    clippy::expect_used,
    reason = "a measurement ends where anything is wrong"
)]
//! Goes one path again and again, for a profiler to watch, and tells how long it took.
//!
//!     valgrind --tool=callgrind target/release/spin first-bytes 5000

use std::time::{Duration, Instant};

use actix_web_idempotency::MemoryStore;
use parts::{Path, Subject};

/// The quickest of many batches is what it costs on a machine that does nothing else.
const BATCH: u32 = 500;

#[actix_web::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().and_then(|name| Path::named(&name));
    let path = path.expect("the first argument names a path");
    let times = arguments.next().and_then(|times| times.parse().ok());
    let subject = Subject::new(path, MemoryStore::new()).await;
    let (mut number, mut quickest) = (0, Duration::MAX);
    for _batch in 0..times.unwrap_or(5000) / BATCH {
        let begun = Instant::now();
        for _request in 0..BATCH {
            subject.call(path.request(number)).await;
            number += 1;
        }
        quickest = quickest.min(begun.elapsed() / BATCH);
    }
    println!(
        "{} {quickest:?} per request, in the quickest batch",
        path.name()
    );
}
