use std::{
    collections::VecDeque,
    fmt::Debug,
    future::{Future, pending},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_idempotency::{
    MemoryStore,
    store::{Begin, ClaimId, Held, Lease, NewClaim, Record, Renewed, Store, StoreError, StoreKey},
};
use tokio::time::sleep;

/// How one call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Ok,
    /// It is not carried out, and says so.
    Err,
    /// It is carried out, and nobody is told.
    LostAnswer,
    /// It takes a while.
    Slow,
    /// It is not carried out and never answers.
    Never,
    /// It is carried out and never answers.
    CarriedOutNever,
    /// It never answers, and is carried out much later.
    Late,
}

impl Mood {
    pub(crate) const ALL: [Self; 7] = [
        Self::Ok,
        Self::Err,
        Self::LostAnswer,
        Self::Slow,
        Self::Never,
        Self::CarriedOutNever,
        Self::Late,
    ];
}

/// A memory store whose first calls have moods; later ones are well.
#[derive(Clone, Debug)]
pub(crate) struct Moody {
    store: MemoryStore,
    moods: Arc<Moods>,
}

#[derive(Debug, Default)]
struct Moods {
    begin: Mutex<VecDeque<Mood>>,
    complete: Mutex<VecDeque<Mood>>,
    release: Mutex<VecDeque<Mood>>,
    renew: Mutex<VecDeque<Mood>>,
}

impl Moody {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            moods: Arc::default(),
        }
    }

    pub(crate) fn begin(self, mood: Mood) -> Self {
        self.moods.begin.lock().unwrap().push_back(mood);
        self
    }

    /// All further calls are well.
    pub(crate) fn is_well(&self) {
        let Moods {
            begin,
            complete,
            release,
            renew,
        } = &*self.moods;
        for moods in [begin, complete, release, renew] {
            moods.lock().unwrap().clear();
        }
    }

    /// The mood of the first two calls, so that a retry meets it too.
    pub(crate) fn complete(self, mood: Mood) -> Self {
        self.moods.complete.lock().unwrap().extend([mood, mood]);
        self
    }

    pub(crate) fn release(self, mood: Mood) -> Self {
        self.moods.release.lock().unwrap().extend([mood, mood]);
        self
    }

    pub(crate) fn renew(self, mood: Mood) -> Self {
        self.moods.renew.lock().unwrap().push_back(mood);
        self
    }
}

async fn moody<T: Debug + 'static>(
    moods: &Mutex<VecDeque<Mood>>,
    call: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let mood = moods.lock().unwrap().pop_front().unwrap_or(Mood::Ok);
    match mood {
        Mood::Ok => call.await,
        Mood::Err => Err(StoreError::unavailable("in a bad mood")),
        Mood::LostAnswer => {
            call.await?;
            Err(StoreError::timeout())
        }
        Mood::Slow => {
            sleep(Duration::from_millis(100)).await;
            call.await
        }
        Mood::Never => pending().await,
        Mood::CarriedOutNever => {
            call.await?;
            pending().await
        }
        Mood::Late => {
            tokio::spawn(async move {
                sleep(Duration::from_secs(2)).await;
                call.await.map(drop)
            });
            pending().await
        }
    }
}

impl Store for Moody {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let (store, claim) = (self.store.clone(), claim.clone());
        moody(&self.moods.begin, async move { store.begin(&claim).await }).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        moody(&self.moods.renew, async move { store.renew(&lease).await }).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (store, lease, record) = (self.store.clone(), lease.clone(), record.clone());
        let call = async move { store.complete(&lease, &record, retention).await };
        moody(&self.moods.complete, call).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let (store, lease) = (self.store.clone(), lease.clone());
        moody(
            &self.moods.release,
            async move { store.release(&lease).await },
        )
        .await
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        self.store.changed(key, seen).await
    }
}
