//! The connections of a store: which one a call takes, and what happens while there is none.

mod call_limit;
mod circuit_breaker;
mod endpoint;
mod foreign_pool;
mod manager;
mod per_runtime;
mod source;

pub(crate) use self::{
    call_limit::CallLimit,
    endpoint::Endpoint,
    foreign_pool::{ForeignPool, Observed},
    per_runtime::PerRuntime,
    source::FromFn,
};
