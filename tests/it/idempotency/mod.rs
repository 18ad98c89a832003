//! `Idempotency`.

mod contract;
mod distinct_operations;
mod handler_side;
mod inner_responses;
mod large_bodies;
mod missing_key;
mod overrides;
mod own_responses;
mod recording;
mod transient;
mod waiting;
