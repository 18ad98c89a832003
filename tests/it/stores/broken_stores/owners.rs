//! What it does for the owner of a claim.

use std::{sync::atomic::Ordering, time::Duration};

use actix_web_idempotency::store::{
    Held, Inspect, Inspected, Lease, NewClaim, Record, Renewed, Store, StoreError, StoreTime,
};

use super::{
    broken::{Broken, FOR_EVER},
    mistake::Mistake::*,
    records,
};

impl Broken {
    pub(super) async fn renews(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let (key, token) = (lease.key(), self.token(lease, RenewalIsAnybodys));
        let times = match self.mistake {
            Some(RenewalNeverEnds) => [FOR_EVER, lease.grace()],
            Some(RenewalLosesTheGrace) => [lease.duration(), Duration::ZERO],
            Some(RenewalHasGraceForEver) => [lease.duration(), FOR_EVER],
            _ => [lease.duration(), lease.grace()],
        };
        let is_lock = self.known(key).is_some_and(|known| known.claim.is_lock());
        let is_lapsed = self.is_lapsed(key).await?;
        let renewed = match self.mistake {
            Some(RenewalOfLapsedIsRefused) if is_lapsed => Renewed::Lost,
            Some(RenewalOfLocksIsRefused) if is_lock => Renewed::Lost,
            Some(RenewalChangesNothing) => {
                let is_own = self.known(key).is_some_and(|of| of.claim.token == token);
                let holds = self.holds(key).await?;
                match holds {
                    Some(Inspected::Claim { .. } | Inspected::Lock { .. }) if is_own => {
                        let at = StoreTime(self.renewals.load(Ordering::SeqCst) + 1);
                        Renewed::Yes { at }
                    }
                    _ => Renewed::Lost,
                }
            }
            _ => self.store.renew(&self.lease(lease, token, times)).await?,
        };
        match renewed {
            Renewed::Yes { at } => {
                self.note_more(key, |known| known.is_renewed = true);
                if let (true, Some(known)) =
                    (self.makes(RenewalForgetsTheFingerprint), self.known(key))
                {
                    self.store.delete(&self.key(key)).await?;
                    let claim = NewClaim {
                        fingerprint: None,
                        ..known.claim
                    };
                    self.store.begin(&claim).await?;
                }
                Ok(Renewed::Yes { at: self.time(at) })
            }
            Renewed::Lost if self.makes(RenewalIsAlwaysConfirmed) => {
                let at = self.time(StoreTime(1));
                Ok(Renewed::Yes { at })
            }
            Renewed::Lost => Ok(Renewed::Lost),
        }
    }

    pub(super) async fn completes(
        &self,
        lease: &Lease,
        record: &Record,
        mut retention: Duration,
    ) -> Result<Held, StoreError> {
        let (key, token) = (lease.key(), self.token(lease, CompletionIsAnybodys));
        let (is_lapsed, is_vacant) = (self.is_lapsed(key).await?, self.is_vacant(key).await?);
        let is_tombstone = matches!(record, Record::Tombstone(_));
        let is_finished = self.is_finished(key).await?;
        let known = self.known(key);
        let is_own = known.as_ref().is_some_and(|of| of.claim.token == token);
        match self.mistake {
            Some(CompletionLeavesTheClaim) if is_own => return Ok(Held::Yes),
            Some(CompletionOfLapsedIsRefused) if is_lapsed => return Ok(Held::Lost),
            Some(CompletionNeedsAClaim) if is_vacant => return Ok(Held::Lost),
            Some(CompletionIsNotRepeatable) if is_finished => return Ok(Held::Lost),
            Some(CompletionIsKnownByItsRecord) if is_finished => {
                let is_equal = known.is_some_and(|of| of.record.as_ref() == Some(record));
                return Ok(if is_equal { Held::Yes } else { Held::Lost });
            }
            Some(CompletionOverwritesItself) if is_finished && is_own => {
                self.store.delete(&self.key(key)).await?;
            }
            Some(CompletionOverwritesOthers) if is_finished && !is_own => {
                self.store.delete(&self.key(key)).await?;
            }
            Some(RetentionIsTheLease) => retention = lease.duration(),
            Some(RetentionNeverEnds) => retention = FOR_EVER,
            Some(RetentionOfTombstonesNeverEnds) if is_tombstone => retention = FOR_EVER,
            Some(RetentionInVacantPlacesNeverEnds) if is_vacant => retention = FOR_EVER,
            _ => {}
        }
        let times = [lease.duration(), lease.grace()];
        let lease = self.lease(lease, token, times);
        self.note_more(key, |known| known.record = Some(record.clone()));
        let record = records::mistaken(self.mistake, record);
        self.store.complete(&lease, &record, retention).await
    }

    pub(super) async fn releases(&self, lease: &Lease) -> Result<Held, StoreError> {
        let (key, token) = (lease.key(), self.token(lease, ReleaseIsAnybodys));
        let times = [lease.duration(), lease.grace()];
        let own = self.lease(lease, token, times);
        match self.mistake {
            Some(ReleaseOfLapsedIsRefused) if self.is_lapsed(key).await? => Ok(Held::Lost),
            Some(ReleaseRemovesRecords) if self.is_finished(key).await? => {
                self.store.delete(&self.key(key)).await?;
                Ok(Held::Yes)
            }
            Some(ReleaseIsAlwaysConfirmed) => {
                self.store.release(&own).await?;
                Ok(Held::Yes)
            }
            Some(ReleaseChangesNothing) => Ok(match self.store.renew(&own).await? {
                Renewed::Yes { .. } => Held::Yes,
                Renewed::Lost => Held::Lost,
            }),
            Some(ReleaseEndsTheLeaseOnly) => {
                let times = [Duration::ZERO, lease.grace()];
                let ended = self.lease(lease, token, times);
                Ok(match self.store.renew(&ended).await? {
                    Renewed::Yes { .. } => Held::Yes,
                    Renewed::Lost => Held::Lost,
                })
            }
            _ => self.store.release(&own).await,
        }
    }
}
