use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{MemoryStore, transitions};
use crate::store::{
    Begin, ClaimId, Held, Lease, NewClaim, Record, Renewed, Store, StoreError, StoreKey,
};

// What is decided, and by what, stands in `transitions`.
impl Store for MemoryStore {
    /// Nothing is waited for.
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        self.0.note_warnings(claim);
        let (key, now) = (&claim.key, Instant::now());
        (self.0).change(key, now, |found| transitions::begin(found, claim, now))
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let (key, now) = (lease.key(), Instant::now());
        let held = self
            .0
            .change(key, now, |found| transitions::renew(found, lease, now));
        Ok(match held? {
            Held::Yes => Renewed::Yes { at: self.0.time() },
            Held::Lost => Renewed::Lost,
        })
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (key, now) = (lease.key(), Instant::now());
        self.0.change(key, now, |found| {
            transitions::complete(found, lease, record, retention, now)
        })
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let (key, now) = (lease.key(), Instant::now());
        (self.0).change(key, now, |found| transitions::release(found, lease))
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        while let Some((change, lapses_at)) = self.0.watch(key, seen) {
            // A renewal moves the end of the lease, so look again when it is reached.
            let _ = timeout_at(lapses_at, change).await;
        }
        Ok(())
    }
}
