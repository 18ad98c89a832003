use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use super::{OwnerToken, StoreKey};
use crate::{config::ExpiredLease, fingerprint::Fingerprint};

/// A claim as it is sent to a store.
#[derive(Clone, Debug)]
pub struct NewClaim {
    /// What is claimed.
    pub key: StoreKey,
    /// Whose claim it is.
    pub token: OwnerToken,
    /// What the request looks like. A claim or record with another one, or with none where this has one, is
    /// of another request.
    pub fingerprint: Option<Fingerprint>,
    /// How long the claim is held unless it is renewed.
    pub lease: Duration,
    /// How long the claim is remembered after its lease has lapsed.
    pub grace: Duration,
    /// What a claim on the same key does when it finds this key's claim lapsed.
    pub on_expired_lease: ExpiredLease,
    /// What the store has to say beside the outcome.
    pub notes: ClaimNotes,
}

impl NewClaim {
    /// A claim that is all there is: nobody compares it, nobody remembers it once its time has
    /// passed, no record follows. A store may keep it as the bare token and say of whatever else
    /// holds the key no more than [`Begin::InFlight`](super::Begin::InFlight).
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

    /// Whether this is a [`lock`](Self::lock): neither fingerprint nor grace.
    pub fn is_lock(&self) -> bool {
        self.fingerprint.is_none() && self.grace.is_zero()
    }

    /// What the owner needs for every further call. A store hands it out with the claim; who
    /// never got an answer makes it here, to undo what may have been carried out.
    pub fn lease(&self) -> Lease {
        Lease {
            key: self.key.clone(),
            token: self.token,
            lease: self.lease,
            grace: self.grace,
        }
    }
}

/// What a store tells the guard of a claim beside the outcome. A store that has nothing to say leaves it
/// as it is.
#[derive(Debug, Default)]
pub struct ClaimNotes(AtomicU8);

const SENT_AGAIN: u8 = 1;

impl ClaimNotes {
    /// Notes that the claim is about to be sent again.
    ///
    /// A claim that was sent twice can be carried out twice, the second time after its release: the
    /// first copy may still be on its way when its connection is given up. The middlewares then go on
    /// looking for a late copy after they have freed the key. A store that repeats a claim on its own
    /// calls this before it does.
    pub fn sent_again(&self) {
        self.0.fetch_or(SENT_AGAIN, Ordering::Release);
    }

    /// Returns whether the claim was sent again.
    pub fn was_sent_again(&self) -> bool {
        self.0.load(Ordering::Acquire) & SENT_AGAIN != 0
    }

    /// Notes something about the store that its operator should know. The observer of the guard is told;
    /// the store logs it, because it knows the figures.
    pub fn warn(&self, warning: StoreWarning) {
        self.0.fetch_or(warning.bit(), Ordering::Release);
    }

    /// Returns the warnings that were noted.
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
    /// What is claimed.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Whose claim it is.
    pub fn token(&self) -> &OwnerToken {
        &self.token
    }

    /// How long the claim is held from each renewal on.
    pub fn duration(&self) -> Duration {
        self.lease
    }

    /// How long the claim is remembered after that.
    pub fn grace(&self) -> Duration {
        self.grace
    }
}
