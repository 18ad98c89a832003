//! Policies that an application chooses, and the error of a setting that cannot work.

mod error;
mod policy;

pub use self::{
    error::ConfigError,
    policy::{ExpiredLease, InFlight, StoreFailure, Waiting},
};
