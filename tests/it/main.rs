//! All integration tests: one folder per subject, one module per behaviour. `tests/run` runs them.
//!
//! What holds for every store stands below `each_store!(name);` and is three tests, one for each store:
//! `name::memory`, `name::redis` and `name::postgres`. What several modules need is in `support`.

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
mod postgres;
mod redis;
mod reliability;
mod requests;
mod security;
mod sqlite;
mod stores;
mod structure;
mod support;
mod testing;
