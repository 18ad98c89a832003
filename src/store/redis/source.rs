use std::time::Duration;

use super::{
    cluster::Cluster,
    notify::WakeUps,
    pool::{ForeignPool, PerRuntime, Place},
};

/// What a store has when it opens its connections itself.
pub(super) struct Own {
    pub(super) connections: PerRuntime,
    pub(super) wake_ups: WakeUps,
}

/// Where connections come from.
pub(super) enum Source {
    Own(Box<Own>),
    Cluster(Box<Cluster>),
    Pool(Box<dyn ForeignPool>),
}

impl Source {
    pub(super) fn own(place: Place, timeout: Duration) -> Self {
        Self::Own(Box::new(Own {
            wake_ups: WakeUps::new(place.clone(), timeout),
            connections: PerRuntime::new(place, timeout),
        }))
    }
}
