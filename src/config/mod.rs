//! What an application decides: policies, and what it is told when a setting cannot work.

mod error;
mod policy;

pub use self::{
    error::ConfigError,
    policy::{InFlight, LostOwner, StoreFailure},
};
