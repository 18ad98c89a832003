use std::{future::Future, sync::Arc, time::Duration};

use super::drain::{DrainGuard, DrainTracker};
use crate::{
    event::{Event, EventBuilder, Incident, Observer},
    store::{ErasedStore, Held, Lease, Record, Renewed, StoreError},
};

/// Logs an incident, and tells the observer of it: `report!(context, warn, incident, fields; "text")`.
macro_rules! report {
    (
        $context:expr, $level:ident, $incident:expr
        $(, $name:ident $(: $shown:tt)? $(= $value:expr)?)*; $($text:tt)+
    ) => {{
        let incident = $incident;
        $crate::runtime::log::$level!(
            incident = incident.kind.as_str()
            $(, $name $(: $shown)? $(= $value)?)*; $($text)+
        );
        $context.tell(&incident);
    }};
}
pub(super) use report;

/// A store, its observer, and the work in progress on it. Every part of a claim needs this, and it needs none of
/// them.
#[derive(Clone, Debug)]
pub(super) struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn ErasedStore>,
    observer: Option<Observer>,
    drain: DrainTracker,
}

impl Context {
    pub(super) fn new(store: Arc<dyn ErasedStore>, observer: Option<Observer>) -> Self {
        Self(Arc::new(Inner {
            store,
            observer,
            drain: DrainTracker::default(),
        }))
    }

    pub(super) fn store(&self) -> &Arc<dyn ErasedStore> {
        &self.0.store
    }

    /// Begins the event of a request.
    pub(super) fn begin_event(&self) -> EventBuilder {
        EventBuilder::begin(self.0.observer.as_ref())
    }

    /// Something has happened in the background. Called by [`report`], which logs it too.
    pub(super) fn tell(&self, incident: &Incident<'_>) {
        if let Some(observer) = &self.0.observer {
            observer.tell(Event::Incident(incident));
        }
    }

    /// Stands for something that is in progress, until it is dropped.
    pub(super) fn drain_guard(&self) -> DrainGuard {
        self.0.drain.guard()
    }

    /// Waits until all that is in progress now has settled.
    pub(super) async fn drained(&self) {
        self.0.drain.drained().await;
    }

    pub(super) fn renew<'a>(
        &'a self,
        lease: &'a Lease,
    ) -> impl Future<Output = Result<Renewed, StoreError>> + 'a {
        self.0.store.renew(lease)
    }

    pub(super) fn complete<'a>(
        &'a self,
        lease: &'a Lease,
        record: &'a Record,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + 'a {
        self.0.store.complete(lease, record, retention)
    }

    pub(super) fn release<'a>(
        &'a self,
        lease: &'a Lease,
    ) -> impl Future<Output = Result<Held, StoreError>> + 'a {
        self.0.store.release(lease)
    }
}
