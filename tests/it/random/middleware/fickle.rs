use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::{Future, pending},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web_idempotency::{
    MemoryStore,
    store::{
        Begin, ClaimId, Cursor, Held, Inspect, Inspected, Lease, NewClaim, Record, Renewed, Store,
        StoreError, StoreKey,
    },
};
use tokio::time::sleep;

use super::log::Log;

/// What is put into the store by nobody.
const OWN: &str = "own:";

/// How one call goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It takes a while.
    Slow(Duration),
    /// It is not carried out, and says so.
    Refused,
    /// It is carried out, and nobody is told.
    Unheard,
    /// It is not carried out and never answers.
    Never,
    /// It is carried out and never answers.
    CarriedOutNever,
    /// It never answers, and is carried out later.
    Late(Duration),
}

/// By the number of the call.
pub(super) type Faults = BTreeMap<usize, Fault>;

/// A memory store that does to each call what is planned for it.
#[derive(Clone, Debug)]
pub(super) struct Fickle {
    store: MemoryStore,
    faults: Arc<Mutex<Planned>>,
    log: Log,
}

#[derive(Debug)]
struct Planned {
    faults: Faults,
    calls: usize,
}

impl Fickle {
    /// Called before the background is moved to the runtime of the test: the store's purge begins here,
    /// by something to be purged, and stays outside. Its walk, once in every second that is not waited
    /// for, would be most of the work of a plan.
    pub(super) async fn new(faults: Faults, log: Log) -> Self {
        let store = MemoryStore::new();
        let last = StoreKey::new(OWN, [0; 32]);
        let day = Duration::from_secs(24 * 3600);
        store.begin(&NewClaim::lock(last, day)).await.unwrap();
        Self {
            store,
            faults: Arc::new(Mutex::new(Planned { faults, calls: 0 })),
            log,
        }
    }

    /// All that a middleware has put into it.
    pub(super) async fn entries(&self) -> Vec<(StoreKey, Inspected)> {
        let most = NonZeroUsize::new(1000).unwrap();
        let page = self.store.list("", &Cursor::start(), most).await.unwrap();
        let entries = page.entries.into_iter();
        entries.filter(|(key, _)| key.prefix() != OWN).collect()
    }

    /// Takes them away.
    pub(super) async fn clear(&self) {
        for (key, _) in self.entries().await {
            self.store.delete(&key).await.unwrap();
        }
    }

    /// From now on nothing goes wrong.
    pub(super) fn is_well(&self) {
        self.faults.lock().unwrap().faults.clear();
    }

    /// What is planned for the call that is made now.
    fn fault(&self, call: &str) -> Option<Fault> {
        let mut planned = self.faults.lock().unwrap();
        let number = planned.calls;
        planned.calls += 1;
        let fault = planned.faults.remove(&number);
        self.log.say(&format!("  call {number}: {call}, {fault:?}"));
        fault
    }

    async fn call<T: Debug + Send + 'static>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let fault = self.fault(name);
        let log = self.log.clone();
        let name = name.to_owned();
        let call = async move {
            let outcome = call.await;
            log.say(&format!("  {name} -> {outcome:?}"));
            outcome
        };
        match fault {
            None => call.await,
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                call.await
            }
            Some(Fault::Refused) => Err(StoreError::unavailable("by plan")),
            Some(Fault::Unheard) => {
                call.await?;
                Err(StoreError::interrupted("by plan"))
            }
            Some(Fault::Never) => pending().await,
            Some(Fault::CarriedOutNever) => {
                call.await?;
                pending().await
            }
            Some(Fault::Late(time)) => {
                tokio::spawn(async move {
                    sleep(time).await;
                    call.await.map(drop)
                });
                pending().await
            }
        }
    }
}

impl Store for Fickle {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let (store, claim) = (self.store.clone(), claim.clone());
        self.call("begin", async move { store.begin(&claim).await })
            .await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        self.call("renew", async move { store.renew(&lease).await })
            .await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (store, lease, record) = (self.store.clone(), lease.clone(), record.clone());
        let call = async move { store.complete(&lease, &record, retention).await };
        self.call("complete", call).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        self.call("release", async move { store.release(&lease).await })
            .await
    }

    /// One that goes wrong fails, ends early or never tells anything.
    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        match self.fault("changed") {
            None => self.store.changed(key, seen).await,
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                self.store.changed(key, seen).await
            }
            Some(Fault::Refused) => Err(StoreError::unavailable("by plan")),
            Some(Fault::Unheard) => Ok(()),
            Some(Fault::Never | Fault::CarriedOutNever | Fault::Late(_)) => pending().await,
        }
    }
}
