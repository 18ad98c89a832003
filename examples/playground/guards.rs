use std::{future::Future, time::Duration};

use actix_web_idempotency::{
    AnyStore, ApiLock, ConfigError, Idempotency, InFlight, Scope, Waiting,
};
use serde_json::json;

/// The guards to choose from, on one store.
#[derive(Clone)]
pub(crate) struct Guards {
    pub(crate) lock: ApiLock,
    pub(crate) reject: Idempotency,
    pub(crate) wait: Idempotency,
}

impl Guards {
    pub(crate) fn on(store: AnyStore) -> Result<Self, ConfigError> {
        let lock = ApiLock::builder(
            store.clone(),
            |req| json!({ "user": req.header("x-user"), "path": req.path(), "body": req.body() }),
        );
        let keys = || Idempotency::builder(store.clone(), Scope::header("x-user")).required(true);
        Ok(Self {
            lock: lock.build()?,
            reject: keys().build()?,
            wait: keys()
                .on_in_flight(InFlight::Wait(Waiting::new(Duration::from_secs(10))))
                .build()?,
        })
    }

    /// Waits for the stop signal, and then for each guard.
    pub(crate) fn drain_on_stop(&self, limit: Duration) -> impl Future<Output = ()> + use<> {
        let waits = self.wait.drain_on_stop(limit);
        self.lock
            .drain_on(self.reject.drain_on(waits, limit), limit)
    }

    /// Waits until handlers have ended whose client has left, and what they did is written down.
    pub(crate) async fn drain(&self, limit: Duration) {
        tokio::join!(
            self.lock.drain(limit),
            self.reject.drain(limit),
            self.wait.drain(limit)
        );
    }
}
