use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web_idempotency::{
    MemoryStore,
    store::{
        Begin, ClaimId, Held, Inspect, Inspected, Lease, NewClaim, OwnerToken, Record, Renewed,
        Store, StoreError, StoreKey, StoreTime,
    },
};
use tokio::time::Instant;

use super::mistake::Mistake::{self, *};

/// Longer than any test lasts.
pub(super) const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// A store that keeps the contract but for one mistake.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) store: MemoryStore,
    pub(super) mistake: Option<Mistake>,
    known: Mutex<HashMap<StoreKey, Known>>,
    pub(super) renewals: AtomicU64,
}

/// What a mistaken store may remember of a key.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The last claim that was given.
    pub(super) claim: NewClaim,
    pub(super) since: Instant,
    /// How many claims were given.
    pub(super) claims: u32,
    pub(super) is_renewed: bool,
    pub(super) record: Option<Record>,
}

impl Broken {
    pub(super) fn by(mistake: Option<Mistake>) -> Self {
        Self {
            store: MemoryStore::new(),
            mistake,
            known: Mutex::default(),
            renewals: AtomicU64::new(0),
        }
    }

    pub(super) fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    pub(super) fn key(&self, key: &StoreKey) -> StoreKey {
        match self.makes(PrefixesAreIgnored) {
            true => StoreKey::new("", *key.digest()),
            false => key.clone(),
        }
    }

    pub(super) fn known(&self, key: &StoreKey) -> Option<Known> {
        self.known.lock().unwrap().get(key).cloned()
    }

    pub(super) fn note(&self, claim: &NewClaim) -> u32 {
        let mut all = self.known.lock().unwrap();
        let before = all.get(&claim.key);
        let claims = match before {
            Some(known) if known.claim.token == claim.token => known.claims,
            Some(known) => known.claims + 1,
            None => 1,
        };
        let known = Known {
            claim: claim.clone(),
            since: Instant::now(),
            claims,
            is_renewed: false,
            record: None,
        };
        all.insert(claim.key.clone(), known);
        claims
    }

    pub(super) fn note_more(&self, key: &StoreKey, note: impl FnOnce(&mut Known)) {
        if let Some(known) = self.known.lock().unwrap().get_mut(key) {
            note(known);
        }
    }

    pub(super) async fn holds(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        self.store.look_up(&self.key(key)).await
    }

    pub(super) async fn is_lapsed(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let holds = self.holds(key).await?;
        Ok(matches!(
            holds,
            Some(Inspected::Claim {
                lease_left: None,
                ..
            })
        ))
    }

    pub(super) async fn is_finished(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let holds = self.holds(key).await?;
        Ok(matches!(holds, Some(Inspected::Finished { .. })))
    }

    pub(super) async fn is_vacant(&self, key: &StoreKey) -> Result<bool, StoreError> {
        Ok(self.holds(key).await?.is_none())
    }

    /// Whose claim it is taken for.
    pub(super) fn token(&self, lease: &Lease, anybodys: Mistake) -> OwnerToken {
        match self.known(lease.key()) {
            Some(known) if self.makes(anybodys) => known.claim.token,
            _ => *lease.token(),
        }
    }

    pub(super) fn lease(&self, lease: &Lease, token: OwnerToken, times: [Duration; 2]) -> Lease {
        let claim = NewClaim {
            token,
            grace: times[1],
            ..NewClaim::lock(self.key(lease.key()), times[0])
        };
        claim.lease()
    }

    pub(super) fn time(&self, at: StoreTime) -> StoreTime {
        let renewals = self.renewals.fetch_add(1, Ordering::SeqCst);
        match self.mistake {
            Some(TimeStandsStill) => StoreTime(1),
            Some(TimeRunsBackwards) => StoreTime(u64::MAX - renewals),
            _ => at,
        }
    }
}

impl Store for Broken {
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        self.claims(claim).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        self.renews(lease).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        self.completes(lease, record, retention).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        self.releases(lease).await
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        self.watches(key, seen).await
    }
}
