//! What the tests stand on.

pub(crate) mod authority;
pub(crate) mod backend;
pub(crate) mod claims;
pub(crate) mod cluster;
pub(crate) mod connections;
pub(crate) mod cutter;
pub(crate) mod detour;
pub(crate) mod ear;
pub(crate) mod example;
pub(crate) mod gate;
pub(crate) mod keys;
pub(crate) mod locks;
pub(crate) mod log;
pub(crate) mod pgbouncer;
pub(crate) mod postgres;
pub(crate) mod pretend;
pub(crate) mod problems;
pub(crate) mod proxy;
pub(crate) mod quickstart;
pub(crate) mod redis;
pub(crate) mod sentinel;
pub(crate) mod server;
pub(crate) mod spans;
pub(crate) mod sqlite;
pub(crate) mod wire;
pub(crate) mod wiretap;

use std::time::Duration;

/// What a call to a store may take in tests that are not about time limits.
pub(crate) const GENEROUS: Duration = Duration::from_secs(5);

/// Waits for something that must happen. Polls, because what it asks is a real server. On a machine that
/// does nothing else it happens soon; on a busy one nobody knows.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    eventually_within(Duration::from_secs(60), what, holds).await;
}

/// The same for what takes its time.
pub(crate) async fn eventually_within(limit: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let polls = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(limit, polls)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
