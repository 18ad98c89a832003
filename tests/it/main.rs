//! All integration tests, one module per behaviour. `tests/run` runs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

mod api;
mod costs;
mod dedup;
mod docs;
mod examples;
mod idempotency;
mod lock;
mod observing;
mod parsers;
mod redis;
mod reliability;
mod requests;
mod security;
mod stores;
mod structure;
mod support;
mod testing;
