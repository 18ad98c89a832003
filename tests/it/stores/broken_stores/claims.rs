//! How it begins and watches a claim.

use std::{future::pending, num::NonZeroU32, time::Duration};

use actix_web_idempotency::{
    ExpiredLease,
    store::{Begin, ClaimId, Inspect, NewClaim, OwnerToken, Store, StoreError, StoreKey},
};
use tokio::{task::yield_now, time::Instant};

use super::{
    broken::{Broken, FOR_EVER},
    mistake::Mistake::{self, *},
};

/// A claim as it is carried out.
fn mistaken(mistake: Option<Mistake>, claim: &NewClaim, key: StoreKey) -> NewClaim {
    let mut sent = claim.clone();
    sent.key = key;
    let is_lock = claim.is_lock();
    match mistake {
        Some(LeasesAreShort) => sent.lease /= 3,
        Some(LeasesNeverEnd) => sent.lease = FOR_EVER,
        Some(LocksNeverEnd) if is_lock => sent.lease = FOR_EVER,
        Some(GraceIsForgotten) => sent.grace = Duration::ZERO,
        Some(GraceNeverEnds) if !is_lock => sent.grace = FOR_EVER,
        Some(ReportIsIgnored) => sent.on_expired_lease = ExpiredLease::Reexecute,
        Some(TakeOverIsIgnored) => sent.on_expired_lease = ExpiredLease::Refuse,
        _ => {}
    }
    sent
}

impl Broken {
    pub(super) async fn claims(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let mut sent = mistaken(self.mistake, claim, self.key(&claim.key));
        let known = self.known(&claim.key);
        let is_vacant = self.is_vacant(&claim.key).await?;
        match (self.mistake, &known) {
            (Some(TwoWin), _) if is_vacant => {
                yield_now().await;
                self.store.delete(&sent.key).await?;
            }
            (Some(OtherWorkIsTakenOver), Some(known)) if self.is_lapsed(&claim.key).await? => {
                sent.fingerprint = known.claim.fingerprint;
            }
            (Some(RepeatedClaimIsAnother), Some(known)) if known.claim.token == claim.token => {
                sent.token = OwnerToken::random();
            }
            _ => {}
        }
        let is_repeated = known.is_some_and(|known| known.claim.token == claim.token);
        Ok(match self.store.begin(&sent).await? {
            Begin::Claimed { attempt, .. } => {
                let claims = self.note(claim);
                let mut lease = claim.lease();
                if self.makes(LeaseOfAnotherTime) {
                    let times = [claim.lease * 2, claim.grace];
                    lease = self.lease(&lease, claim.token, times);
                }
                let attempt = match self.mistake {
                    Some(AttemptsAreNotCounted) => 1,
                    Some(RepeatedClaimIsTheFirst) if is_repeated => 1,
                    Some(RepeatedClaimIsTheNext) if is_repeated => attempt.get() + 1,
                    Some(NumberingGoesOnAfterARelease) => claims,
                    _ => attempt.get(),
                };
                let attempt = NonZeroU32::new(attempt).unwrap();
                Begin::Claimed { lease, attempt }
            }
            Begin::InFlight {
                mut by,
                mut fingerprint,
                mut left,
            } => {
                match (self.mistake, self.known(&claim.key)) {
                    (Some(OwnerIsNotTold), _) => by = None,
                    (Some(OwnerIsSomeoneElse), _) => by = Some(ClaimId::new(claim.token)),
                    (Some(OtherWorkIsNotTold), _) => fingerprint = claim.fingerprint,
                    (Some(TimeLeftIsNotTold), _) => left = None,
                    (Some(TimeLeftIsOfTheFirstLease), Some(known)) => {
                        let until = known.since + known.claim.lease;
                        left = left.map(|_| until - Instant::now());
                    }
                    _ => {}
                }
                Begin::InFlight {
                    by,
                    fingerprint,
                    left,
                }
            }
            Begin::Expired { fingerprint } => Begin::Expired {
                fingerprint: match self.makes(OtherWorkIsNotTold) {
                    true => claim.fingerprint,
                    false => fingerprint,
                },
            },
            begun => begun,
        })
    }

    pub(super) async fn watches(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        let known = self.known(key);
        let is_there = !self.is_vacant(key).await?;
        let seen = match (self.mistake, &known) {
            (Some(WatchEndsAtOnce), _) => return Ok(()),
            (Some(WatchNeverEnds), _) => return pending().await,
            (Some(WatchIsOfWhateverIsThere), Some(known)) => ClaimId::new(known.claim.token),
            _ => *seen,
        };
        self.store.changed(&self.key(key), &seen).await?;
        let is_renewed = self.known(key).is_some_and(|known| known.is_renewed);
        let is_missed = match self.mistake {
            Some(WatchMissesCompletions) => self.is_finished(key).await?,
            Some(WatchMissesReleases) => is_there && self.is_vacant(key).await?,
            Some(WatchMissesLapses) => self.is_lapsed(key).await?,
            Some(WatchMissesLapsesOfRenewedClaims) => is_renewed && self.is_lapsed(key).await?,
            _ => false,
        };
        match is_missed {
            true => pending().await,
            false => Ok(()),
        }
    }
}
