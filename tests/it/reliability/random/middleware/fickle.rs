use std::{
    collections::BTreeMap,
    fmt::Debug,
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
    testing::{Call, Fault, FaultyStore},
};

use super::log::Log;

/// What is put into the store by nobody.
const OWN: &str = "own:";

/// By the number of the call.
pub(super) type Faults = BTreeMap<usize, Fault>;

/// A memory store that does to each call what is planned for it.
#[derive(Clone, Debug)]
pub(super) struct Fickle {
    store: MemoryStore,
    faulty: FaultyStore<MemoryStore>,
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
            faulty: FaultyStore::new(store.clone()),
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

    /// Makes a call, with what is planned for it. Nothing is awaited between the two, so no other call takes
    /// the fault.
    async fn call<T: Debug>(
        &self,
        call: Call,
        made: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let number = self.plan(call);
        let outcome = made.await;
        self.log.say(&format!("  call {number} -> {outcome:?}"));
        outcome
    }

    /// Returns the number of the call.
    fn plan(&self, call: Call) -> usize {
        let mut planned = self.faults.lock().unwrap();
        let number = planned.calls;
        planned.calls += 1;
        let fault = planned.faults.remove(&number);
        self.log.say(&format!("  call {number}: {call}, {fault:?}"));
        if let Some(fault) = fault {
            self.faulty.next(call, fault);
        }
        number
    }
}

impl Store for Fickle {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        self.call(Call::Begin, self.faulty.begin(claim)).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        self.call(Call::Renew, self.faulty.renew(lease)).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let made = self.faulty.complete(lease, record, retention);
        self.call(Call::Complete, made).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        self.call(Call::Release, self.faulty.release(lease)).await
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        self.call(Call::Changed, self.faulty.changed(key, seen))
            .await
    }
}
