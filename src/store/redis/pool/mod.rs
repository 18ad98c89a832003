//! The connections of a store: which one a call takes, and what happens while there is none.

mod foreign_pool;
mod manager;
mod outage;
mod per_runtime;
mod place;
mod traffic;

pub(crate) use self::{
    foreign_pool::{ForeignPool, Observed},
    per_runtime::PerRuntime,
    place::Place,
    traffic::Traffic,
};
