use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use super::{OwnerToken, StoreKey};
use crate::{config::ExpiredLease, fingerprint::Fingerprint};

/// A claim as it is sent to a store.
#[derive(Clone, Debug)]
pub struct NewClaim {
    /// The key that is claimed.
    pub key: StoreKey,
    /// The owner.
    pub token: OwnerToken,
    /// The fingerprint of the request. A claim or record with another one, or with none where this has one, is
    /// of another request.
    pub fingerprint: Option<Fingerprint>,
    /// The lease duration.
    pub lease: Duration,
    /// The grace period: for this long the claim is remembered after its lease has expired.
    pub grace: Duration,
    /// The policy if the key has an expired claim.
    pub on_expired_lease: ExpiredLease,
    /// The notes of the store, beside the outcome.
    pub notes: ClaimNotes,
}

impl NewClaim {
    /// Returns a claim of a lock: it is not compared, not remembered once its time has passed, and no record
    /// follows. A store may store it as the bare token and say of whatever else has the key no more than
    /// [`Begin::InFlight`](super::Begin::InFlight).
    pub fn lock(key: StoreKey, ttl: Duration) -> Self {
        Self {
            key,
            token: OwnerToken::random(),
            fingerprint: None,
            lease: ttl,
            grace: Duration::ZERO,
            on_expired_lease: ExpiredLease::Reexecute,
            notes: ClaimNotes::default(),
        }
    }

    /// Returns whether this is a [`lock`](Self::lock): no fingerprint and no grace period.
    pub fn is_lock(&self) -> bool {
        self.fingerprint.is_none() && self.grace.is_zero()
    }

    /// Returns the lease, which the owner needs for every further call. A store hands it out with the claim; an
    /// owner that got no reply makes it here, to undo what may have been carried out.
    pub fn lease(&self) -> Lease {
        Lease {
            key: self.key.clone(),
            token: self.token,
            lease: self.lease,
            grace: self.grace,
        }
    }
}

/// The notes of a store to the guard of a claim, beside the outcome. A store that has nothing to report leaves
/// them as they are.
#[derive(Debug, Default)]
pub struct ClaimNotes(AtomicU8);

const SENT_AGAIN: u8 = 1;

impl ClaimNotes {
    /// Records that the claim is about to be sent again.
    ///
    /// A claim that was sent twice can be carried out twice, the second time after its release: the first copy
    /// may still be on its way when its connection is given up. The middlewares then go on looking for a late
    /// copy after they have freed the key. A store that repeats a claim on its own calls this first.
    pub fn sent_again(&self) {
        self.0.fetch_or(SENT_AGAIN, Ordering::Release);
    }

    /// Returns whether the claim was sent again.
    pub fn was_sent_again(&self) -> bool {
        self.0.load(Ordering::Acquire) & SENT_AGAIN != 0
    }

    /// Records something about the store that its operator should know. The guard reports it to its observer;
    /// the store logs it, because it knows the figures.
    pub fn warn(&self, warning: StoreWarning) {
        self.0.fetch_or(warning.bit(), Ordering::Release);
    }

    /// Returns the warnings that were recorded.
    pub fn warnings(&self) -> impl Iterator<Item = StoreWarning> {
        let noted = self.0.load(Ordering::Acquire);
        let all = [StoreWarning::SecondStore, StoreWarning::FillingUp];
        (all.into_iter()).filter(move |warning| noted & warning.bit() != 0)
    }
}

impl Clone for ClaimNotes {
    fn clone(&self) -> Self {
        Self(AtomicU8::new(self.0.load(Ordering::Acquire)))
    }
}

/// Something about a store that its operator should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreWarning {
    /// Another store of this process has claims with the same prefix, and neither sees the other's.
    SecondStore,
    /// The store is 80 % or 95 % full of entries. A full one refuses new claims.
    FillingUp,
}

impl StoreWarning {
    pub(crate) fn bit(self) -> u8 {
        match self {
            Self::SecondStore => 2,
            Self::FillingUp => 4,
        }
    }
}

/// The right to renew, complete or release one claim.
#[derive(Clone, Debug)]
pub struct Lease {
    key: StoreKey,
    token: OwnerToken,
    lease: Duration,
    grace: Duration,
}

impl Lease {
    /// Returns the key.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Returns the owner.
    pub fn token(&self) -> &OwnerToken {
        &self.token
    }

    /// Returns the duration of the lease, from each renewal on.
    pub fn duration(&self) -> Duration {
        self.lease
    }

    /// Returns how long the claim is remembered after that.
    pub fn grace(&self) -> Duration {
        self.grace
    }
}
