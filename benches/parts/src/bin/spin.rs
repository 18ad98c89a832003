//! Goes one path again and again, for a profiler to watch.
//!
//!     valgrind --tool=callgrind target/release/spin first-bytes 5000

use std::time::Instant;

use actix_idempotency::MemoryStore;
use parts::{Path, Subject};

#[actix_web::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().and_then(|name| Path::named(&name));
    let path = path.expect("the first argument names a path");
    let times = arguments.next().and_then(|times| times.parse().ok());
    let subject = Subject::of(path, MemoryStore::new()).await;
    let times = times.unwrap_or(5000);
    let begun = Instant::now();
    for number in 0..times {
        subject.call(path.request(number)).await;
    }
    println!(
        "{} {:?} per request",
        path.name(),
        begun.elapsed() / times as u32
    );
}
