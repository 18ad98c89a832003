use std::{
    fmt,
    time::{Duration, Instant},
};

use actix_web_idempotency::{AnyStore, store::StoreKey};

use super::service::Service;

/// The servers that keep the keys, and what happens to them.
pub(super) trait Topology: Sized {
    type Fault: Copy + fmt::Debug + Send + Sync + 'static;

    async fn start(fault: Self::Fault) -> Self;

    /// A store that comes to them as the fault requires, with this time limit.
    fn store(&self, timeout: Duration) -> AnyStore;

    /// Whether no request ever comes before the fault.
    fn begins_with_it(&self) -> bool {
        false
    }

    /// How long each client rests between two requests.
    fn pause(&self) -> Duration {
        Duration::from_millis(40)
    }

    /// Whether the fault concerns a key.
    fn befalls(&self, _key: &StoreKey) -> bool {
        true
    }

    /// Returns when replicas have heard of all that was confirmed before.
    async fn settles(&self) {}

    async fn strike(&mut self, service: &Service);

    /// Returns when it has lasted long enough, or is over by itself, and tells until when it was
    /// certainly there.
    async fn lasts(&mut self, service: &Service) -> Instant;

    async fn heal(&mut self);
}
