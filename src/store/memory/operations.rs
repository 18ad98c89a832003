use std::{num::NonZeroU32, sync::atomic::Ordering, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{
    MemoryStore,
    entry::{Claim, Entry, Finished},
    purge,
};
use crate::store::{
    Begin, ClaimId, Held, Lease, NewClaim, OnLapsed, Record, Renewed, Store, StoreError, StoreKey,
};

impl Store for MemoryStore {
    /// Nothing is waited for.
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(&claim.key);
        let attempt = match shard.get(&claim.key, now) {
            None => NonZeroU32::MIN,
            Some(Entry::Finished(finished)) => {
                return Ok(Begin::Finished(finished.record.clone()));
            }
            Some(Entry::Claim(held)) if held.token == claim.token => {
                return Ok(Begin::Claimed {
                    lease: claim.lease(),
                    attempt: held.attempt,
                });
            }
            Some(Entry::Claim(held)) if now < held.lapses_at => {
                let same = held.fingerprint == claim.fingerprint;
                return Ok(Begin::InFlight {
                    by: Some(ClaimId::of(held.token)),
                    fingerprint: held.fingerprint,
                    left: same.then(|| held.lapses_at - now),
                });
            }
            Some(Entry::Claim(dead)) => {
                let same = dead.fingerprint == claim.fingerprint;
                if !same || claim.on_lapsed == OnLapsed::Report {
                    return Ok(Begin::Lapsed {
                        fingerprint: dead.fingerprint,
                    });
                }
                dead.attempt.saturating_add(1)
            }
        };
        let lapses_at = after(now, claim.lease);
        let entry = Entry::Claim(Box::new(Claim {
            token: claim.token,
            fingerprint: claim.fingerprint,
            attempt,
            lapses_at,
            forgotten_at: after(lapses_at, claim.afterlife),
            watchers: None,
        }));
        self.0.put(&mut shard, &claim.key, entry)?;
        drop(shard);
        purge::keep_going(&self.0);
        Ok(Begin::Claimed {
            lease: claim.lease(),
            attempt,
        })
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(lease.key());
        let entry = shard.get(lease.key(), now);
        let Some(claim) = entry.and_then(|entry| entry.claim_of(lease.token())) else {
            return Ok(Renewed::Lost);
        };
        claim.lapses_at = after(now, lease.duration());
        claim.forgotten_at = after(claim.lapses_at, lease.afterlife());
        Ok(Renewed::Yes { at: self.0.time() })
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(lease.key());
        match shard.get(lease.key(), now) {
            Some(Entry::Finished(finished)) if finished.by == *lease.token() => {
                return Ok(Held::Yes);
            }
            Some(Entry::Claim(claim)) if claim.token == *lease.token() => {}
            None => {}
            Some(_) => return Ok(Held::Lost),
        }
        let has_body = matches!(record, Record::Answer(_));
        let entry = Entry::Finished(Box::new(Finished {
            record: record.clone(),
            by: *lease.token(),
            until: after(now, retention),
            age: has_body.then(|| self.0.next_age.fetch_add(1, Ordering::Relaxed)),
        }));
        self.0.put(&mut shard, lease.key(), entry)?;
        drop(shard);
        self.0.make_room();
        purge::keep_going(&self.0);
        Ok(Held::Yes)
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let mut shard = self.0.shard(lease.key());
        let entry = shard.get(lease.key(), Instant::now());
        if entry
            .and_then(|entry| entry.claim_of(lease.token()))
            .is_none()
        {
            return Ok(Held::Lost);
        }
        self.0.remove(&mut shard, lease.key());
        Ok(Held::Yes)
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        while let Some((change, lapses_at)) = self.0.watch(key, seen) {
            // A renewal moves the end of the lease, so look again when it is reached.
            let _ = timeout_at(lapses_at, change).await;
        }
        Ok(())
    }
}

/// A moment so far away that it makes no difference is as good as one that does not exist.
fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start + time.min(FAR)
}
