use std::time::Duration;

use crate::{
    config::{ConfigError, ExpiredLease},
    fingerprint::Fingerprint,
    store::{ClaimNotes, NewClaim, OwnerToken, StoreKey},
};

const SHORTEST_LEASE: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// For how long claims and records stand, and what becomes of claims that end otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimTerms {
    pub(crate) lease: Duration,
    pub(crate) renew_for: Duration,
    pub(crate) retention: Duration,
    pub(crate) expired_lease: ExpiredLease,
}

impl ClaimTerms {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let Self {
            lease,
            renew_for,
            retention,
            ..
        } = *self;
        if !(SHORTEST_LEASE..=HOUR).contains(&lease) {
            return Err(ConfigError::new(format!(
                "lease must be between 100 ms and 1 h (got {lease:?}); it is renewed while the work \
                 runs, so 30 s is a good default"
            )));
        }
        if retention < lease || retention > YEAR {
            return Err(ConfigError::new(format!(
                "retention must be between the lease of {lease:?} and 365 days (got {retention:?}); a \
                 late retry runs again"
            )));
        }
        if renew_for < lease || renew_for > DAY {
            return Err(ConfigError::new(format!(
                "renew_for must be between the lease of {lease:?} and 1 day (got {renew_for:?})"
            )));
        }
        Ok(())
    }

    /// A claim on these terms.
    pub(crate) fn new_claim(&self, key: StoreKey, fingerprint: Option<Fingerprint>) -> NewClaim {
        let (on_expired_lease, grace) = match self.expired_lease {
            // Long enough that a retry finds out that it is not the first attempt.
            ExpiredLease::Reexecute => (ExpiredLease::Reexecute, self.lease * 2),
            ExpiredLease::Refuse => (ExpiredLease::Refuse, self.retention),
        };
        NewClaim {
            key,
            token: OwnerToken::random(),
            fingerprint,
            lease: self.lease,
            grace,
            on_expired_lease,
            notes: ClaimNotes::default(),
        }
    }
}
