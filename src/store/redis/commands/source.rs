use std::time::Duration;

use crate::store::redis::{
    cluster::Cluster,
    notify::WakeUps,
    pool::{ForeignPool, PerRuntime, Place},
};

/// What a store has when it opens its connections itself.
pub(crate) struct Own {
    pub(crate) connections: PerRuntime,
    pub(crate) wake_ups: WakeUps,
}

/// Where connections come from.
pub(crate) enum Source {
    Own(Box<Own>),
    Cluster(Box<Cluster>),
    Pool(Box<dyn ForeignPool>),
}

impl Source {
    pub(crate) fn own(place: Place, timeout: Duration) -> Self {
        Self::Own(Box::new(Own {
            wake_ups: WakeUps::new(place.clone(), timeout),
            connections: PerRuntime::new(place, timeout),
        }))
    }
}
