use std::num::{NonZeroU32, NonZeroUsize};

use actix_web_idempotency::store::{Cursor, Inspect, Inspected, Page, StoreError, StoreKey};

use super::{
    broken::{Broken, FOR_EVER},
    mistake::Mistake::*,
};

impl Broken {
    /// How it shows what a key holds; `None` when it does not.
    fn show(&self, mut held: Inspected) -> Option<Inspected> {
        let Some(mistake) = self.mistake else {
            return Some(held);
        };
        match (mistake, &mut held) {
            (LookUpKnowsNoTimes, Inspected::Lock { left } | Inspected::Finished { left, .. }) => {
                *left = FOR_EVER;
            }
            (LookUpKnowsNoTimes, Inspected::Claim { lease_left, .. }) => {
                *lease_left = lease_left.map(|_| FOR_EVER);
            }
            (LookUpKnowsNoAttempts, Inspected::Claim { attempt, .. }) => {
                *attempt = NonZeroU32::MIN;
            }
            (
                LookUpKnowsNoFingerprints,
                Inspected::Claim { fingerprint, .. } | Inspected::Finished { fingerprint, .. },
            ) => *fingerprint = None,
            (LookUpTakesLocksForClaims, Inspected::Lock { left }) => {
                return Some(Inspected::Claim {
                    attempt: NonZeroU32::MIN,
                    fingerprint: None,
                    lease_left: Some(*left),
                    remembered_for: *left,
                });
            }
            (LookUpSizesTombstones, Inspected::Finished { size, .. }) => {
                size.get_or_insert(0);
            }
            (LookUpMissesTombstones, Inspected::Finished { size: None, .. }) => return None,
            _ => {}
        }
        Some(held)
    }
}

impl Inspect for Broken {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        let held = self.store.look_up(&self.key(key)).await?;
        Ok(held.and_then(|held| self.show(held)))
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        let prefix = if self.makes(ListIgnoresThePrefix) {
            ""
        } else {
            prefix
        };
        let mut page = self.store.list(prefix, from, most).await?;
        let shown = page.entries.into_iter();
        let shown = shown.filter_map(|(key, held)| Some((key, self.show(held)?)));
        page.entries = shown.collect();
        match self.mistake {
            Some(ListEndsAfterAPage) => page.next = None,
            Some(ListMissesOneOfAPage) if page.next.is_some() => drop(page.entries.pop()),
            Some(ListMissesRecords) => {
                let is_record = |held: &_| matches!(held, Inspected::Finished { .. });
                page.entries.retain(|(_, held)| !is_record(held));
            }
            _ => {}
        }
        Ok(page)
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let held = self.store.look_up(key).await?;
        let is_lock = matches!(held, Some(Inspected::Lock { .. }));
        let is_finished = matches!(held, Some(Inspected::Finished { .. }));
        let is_lapsed = matches!(
            held,
            Some(Inspected::Claim {
                lease_left: None,
                ..
            })
        );
        match self.mistake {
            Some(ForcedReleaseChangesNothing) => Ok(held.is_some() && !is_finished),
            Some(ForcedReleaseRemovesRecords) => self.store.delete(key).await,
            Some(ForcedReleaseMissesLocks) if is_lock => Ok(false),
            Some(ForcedReleaseMissesLapsed) if is_lapsed => Ok(false),
            _ => self.store.force_release(key).await,
        }
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let held = self.store.look_up(key).await?;
        let is_lock = matches!(held, Some(Inspected::Lock { .. }));
        let is_finished = matches!(held, Some(Inspected::Finished { .. }));
        match self.mistake {
            Some(DeletionMissesRecords) if is_finished => Ok(false),
            Some(DeletionMissesLocks) if is_lock => Ok(false),
            Some(DeletionIsAlwaysConfirmed) => {
                self.store.delete(key).await?;
                Ok(true)
            }
            Some(DeletionChangesNothing) => Ok(held.is_some()),
            _ => self.store.delete(key).await,
        }
    }
}
