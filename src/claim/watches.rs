use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::{Either, select};
use tokio::{sync::watch, time::sleep};

use super::AWAY;
use crate::{
    runtime::{background, log},
    store::{ClaimId, ErasedStore, StoreKey},
};

/// Those who wait for claims of others to end. All who wait for one claim share one watch of the
/// store, which runs in the background, so that none of them depends on another's runtime.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// The senders send nothing: receivers learn that theirs is gone. Locked to look one up.
    watches: Mutex<HashMap<WatchKey, Arc<watch::Sender<()>>>>,
    /// How many wait.
    waiters: AtomicUsize,
}

type WatchKey = (StoreKey, ClaimId);

impl Watches {
    /// Takes one of `most` permits to wait, if any is left.
    pub(super) fn take_permit(self: &Arc<Self>, most: usize) -> Option<WaiterPermit> {
        self.waiters
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < most).then_some(taken + 1)
            })
            .ok()?;
        Some(WaiterPermit(Arc::clone(self)))
    }

    /// Begins to watch a claim. Dropping what is returned ends it.
    pub(super) fn watch(
        self: &Arc<Self>,
        store: &Arc<dyn ErasedStore>,
        key: &StoreKey,
        claim: ClaimId,
    ) -> Change {
        let watched = (key.clone(), claim);
        let mut watches = self.lock();
        if let Some(sender) = watches.get(&watched) {
            return Change(sender.subscribe());
        }
        let (sender, receiver) = watch::channel(());
        let sender = Arc::new(sender);
        watches.insert(watched.clone(), Arc::clone(&sender));
        drop(watches);
        let (all, store) = (Arc::clone(self), Arc::clone(store));
        background::spawn(async move { all.serve(&*store, watched, sender).await });
        Change(receiver)
    }

    /// Watches on behalf of all, until there is something to tell or nobody to be told.
    async fn serve(&self, store: &dyn ErasedStore, watched: WatchKey, all: Arc<watch::Sender<()>>) {
        let mut change = pin!(store.changed(&watched.0, &watched.1));
        loop {
            match select(&mut change, pin!(all.closed())).await {
                Either::Left((outcome, _)) => {
                    if let Err(err) = outcome {
                        // Whoever waits asks anew, so not at once.
                        let key = &watched.0;
                        log::debug!(key:%, error:% = err; "{key} cannot be watched: {err}");
                        sleep(AWAY).await;
                    }
                    self.lock().remove(&watched);
                    return;
                }
                Either::Right(((), _)) => {
                    let mut watches = self.lock();
                    // Somebody may have come in between.
                    if all.receiver_count() == 0 {
                        watches.remove(&watched);
                        return;
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WatchKey, Arc<watch::Sender<()>>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that is waited for.
pub(super) struct Change(watch::Receiver<()>);

impl Change {
    /// Returns when the claim has ended, or may have.
    pub(super) async fn happens(mut self) {
        // Nothing is ever sent: this ends when the sender is dropped.
        while self.0.changed().await.is_ok() {}
    }
}

/// The permit to wait, until it is dropped.
pub(super) struct WaiterPermit(Arc<Watches>);

impl Drop for WaiterPermit {
    fn drop(&mut self) {
        self.0.waiters.fetch_sub(1, Ordering::AcqRel);
    }
}
