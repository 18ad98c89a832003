use std::time::Duration;

use crate::store::redis::{
    cluster::Cluster,
    notify::WakeUps,
    pool::{Endpoint, ForeignPool, PerRuntime},
};

/// What a store has when it opens its connections itself.
pub(crate) struct Own {
    pub(crate) connections: PerRuntime,
    pub(crate) wake_ups: WakeUps,
}

/// Where connections come from.
pub(crate) enum Backend {
    Own(Box<Own>),
    Cluster(Box<Cluster>),
    Pool(Box<dyn ForeignPool>),
}

impl Backend {
    pub(crate) fn own(place: Endpoint, timeout: Duration) -> Self {
        Self::Own(Box::new(Own {
            wake_ups: WakeUps::new(place.clone(), timeout),
            connections: PerRuntime::new(place, timeout),
        }))
    }
}
