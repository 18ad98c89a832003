//! All integration tests, one module per behaviour. `tests/run` runs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

mod api;
mod body;
mod broken_stores;
mod cancellation;
mod chaos;
mod check;
mod client;
mod cluster;
mod conformance;
#[cfg(feature = "redis-rustls")]
mod connection_errors;
mod cors;
mod costs;
mod dedup;
mod distinct_operations;
mod docs;
mod events;
mod events_at_the_limits;
mod examples;
mod fault_table;
mod faults;
mod formats;
mod full_memory;
mod half_uploads;
mod handler_side;
mod idempotency;
mod idempotency_faults;
mod inner_responses;
mod inspect;
mod interleavings;
mod large_bodies;
mod lock;
mod lost_connections;
mod memory_warnings;
#[cfg(feature = "metrics")]
mod metrics;
mod missing_key;
mod odd_replies;
mod overrides;
mod own_responses;
mod parsers;
mod payments_postgres;
mod pressure;
mod quickstart;
mod random;
mod recording;
mod rights;
mod round_trips;
mod security;
mod sentinel;
mod set_up;
mod shadow;
mod shutdown;
mod structure;
mod support;
mod testing;
#[cfg(feature = "redis-rustls")]
mod tls;
#[cfg(feature = "tracing")]
mod traces;
mod transient;
mod waiting;
mod wake_ups;
