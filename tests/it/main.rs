//! All integration tests: one folder per subject, one module per behaviour. `tests/run` runs them.
//!
//! What holds for every store stands below `each_store!(name);` and is two tests, `name::memory` and
//! `name::redis`. What several modules need is in `support`.

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
