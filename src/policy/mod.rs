//! What happens where there is more than one good answer.

mod in_flight;
mod lost_owner;
mod store_failure;

pub use self::{in_flight::InFlight, lost_owner::LostOwner, store_failure::StoreFailure};
