use std::{collections::BTreeSet, time::Duration};

use actix_web_idempotency::{
    AnyStore,
    store::{Inspect, StoreError, StoreKey},
};
use futures_util::future::join_all;
use tokio::time::sleep;

use super::{
    caller::Caller,
    guards::Guards,
    runs::Runs,
    soon::soon,
    target::Target,
    told::{Resumes, Told},
};
use crate::support::server::Server;

/// The number of what is sent to servers that end.
pub(super) const OTHERS: usize = 1000;
/// The number of what is first sent after a fault.
const NEW: usize = 2000;

/// A server of the application, whose keys are in one store.
pub(super) struct Service {
    pub(super) guards: Guards,
    pub(super) runs: Runs,
    pub(super) caller: Caller,
    store: AnyStore,
    _server: Server,
}

impl Service {
    pub(super) fn on(store: AnyStore) -> Self {
        let guards = Guards::on(&store);
        let runs = Runs::default();
        let server = guards.serve(&runs);
        Self {
            caller: Caller::to(&server),
            _server: server,
            guards,
            runs,
            store,
        }
    }

    pub(super) async fn warm_up(&self) {
        let all = Target::ALL.map(|target| self.is_served(target, 0, "at first"));
        join_all(all).await;
    }

    /// Serves requests on another server, which ends in the middle of them.
    pub(super) async fn workers_end(&self) {
        let server = self.guards.serve(&self.runs);
        let caller = Caller::to(&server);
        for target in Target::ALL {
            tokio::spawn(caller.request(target, OTHERS).send());
        }
        sleep(Duration::from_millis(15)).await;
        server.stop(false).await;
    }

    pub(super) fn stored_key(&self, target: Target, number: usize) -> StoreKey {
        self.guards.stored_key(target, number)
    }

    /// Whether a key is held; an error while the store cannot be asked.
    pub(super) async fn is_held(&self, target: Target, number: usize) -> Result<bool, StoreError> {
        let key = self.stored_key(target, number);
        Ok(self.store.look_up(&key).await?.is_some())
    }

    /// The service has resumed as it is told, all keys can be used again, answers are recorded, and
    /// nothing is left locked.
    pub(super) async fn resumes(&self, told: &Told, used: &BTreeSet<(Target, usize)>) {
        if matches!(told.resumes, Resumes::Unbroken | Resumes::AtOnce) {
            for target in Target::ALL {
                self.is_served_at_once(target, told.what).await;
            }
        }
        let after = format!("after: {}", told.what);
        let others = Target::ALL.map(|target| (target, OTHERS));
        let used: Vec<_> = used.iter().copied().chain(others).collect();
        let all = used.iter();
        join_all(all.map(|(target, number)| self.is_served(*target, *number, &after))).await;
        for (target, number) in used {
            if target.replays() {
                let is_replayed = || async { self.caller.call(target, number).await.is_replay };
                soon(target, &format!("replayed {after}"), is_replayed).await;
            } else {
                let is_free = || async { matches!(self.is_held(target, number).await, Ok(false)) };
                soon(target, &format!("free {after}"), is_free).await;
            }
        }
    }

    async fn is_served_at_once(&self, target: Target, what: &str) {
        // One call for each worker to find out, and one to be served.
        for _ in 0..3 {
            if self.caller.call(target, NEW).await.status == 201 {
                return;
            }
        }
        panic!("not served at once after: {what}: {target:?}");
    }

    async fn is_served(&self, target: Target, number: usize, when: &str) {
        let is_served = || async { self.caller.call(target, number).await.status == 201 };
        soon(target, &format!("served {when}"), is_served).await;
    }
}
