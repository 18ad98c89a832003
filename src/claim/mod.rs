//! The core that knows claims but not HTTP: begin, guard, undo, drain.

mod guard;
mod in_progress;
mod job;
mod patience;
mod undo;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::timeout;

pub(crate) use self::guard::Guard;
use self::in_progress::InProgress;
use crate::store::{Begin, ErasedStore, Held, Lease, NewClaim, Store, StoreError};

/// The longest a middleware waits for one call of a store. Stores keep a tighter bound of their
/// own (Redis: 500 ms); this one is for those that do not.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// A store, and what has been begun on it.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    store: Arc<dyn ErasedStore>,
    in_progress: Arc<InProgress>,
}

/// How a claim began.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The key is ours until the guard goes.
    Mine(Guard),
    /// Something else holds the key.
    Taken,
}

impl Claims {
    pub(crate) fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            in_progress: Arc::default(),
        }
    }

    /// Claims a key.
    ///
    /// The guard is armed before anything is sent: this future can be dropped while the store is
    /// already carrying the claim out.
    pub(crate) async fn begin(&self, claim: NewClaim) -> Result<Begun, StoreError> {
        let mut guard = Guard::sent(self.clone(), claim.clone());
        match bounded(self.store.begin(&claim)).await {
            Ok(Begin::Claimed { lease, .. }) => {
                guard.running(lease);
                Ok(Begun::Mine(guard))
            }
            Ok(
                Begin::InFlight { .. }
                | Begin::Lapsed { .. }
                | Begin::Finished(_)
                | Begin::Unreadable,
            ) => {
                guard.disarm();
                Ok(Begun::Taken)
            }
            Err(err) => {
                if !err.may_have_run() {
                    guard.disarm();
                }
                Err(err)
            }
        }
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        bounded(self.store.release(lease)).await
    }

    /// Waits until all that is in progress now has settled: running claims, releases, undos (as far
    /// as they are likely to find anything). False when time ran out first.
    pub(crate) async fn drain(&self, limit: Duration) -> bool {
        timeout(limit, self.in_progress.settled()).await.is_ok()
    }
}

async fn bounded<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(CALL_LIMIT, call)
        .await
        .unwrap_or_else(|_elapsed| Err(StoreError::timeout()))
}

#[cfg(test)]
mod tests;
