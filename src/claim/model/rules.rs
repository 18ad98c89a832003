use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{mutant::Mutant, request::Work};
use crate::{
    config::ExpiredLease,
    fingerprint::Fingerprint,
    store::{Headers, NewClaim, OwnerToken, Record, RecordedResponse, StoreKey},
};

/// How long a claim is held, in ticks of a second.
pub(super) const LEASE: u8 = 2;
/// How long a dead owner is remembered after that, as the middleware has it.
const AFTERLIFE: u8 = 2 * LEASE;
/// The same where dead owners are not to be followed: for good.
const FOR_GOOD: u8 = 60;
/// How long a call is waited for. Shorter than a lease, as the builders see to.
pub(super) const PATIENCE: u8 = 1;
pub(super) const RETENTION: Duration = Duration::from_secs(60);

/// So many claims a request makes at most.
pub(super) const CLAIMS: u16 = 2;

/// What is the same in all states: the rules.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) began: Instant,
    pub(super) on_expired_lease: ExpiredLease,
    pub(super) mutant: Option<Mutant>,
    /// Whether handlers commit their response in a transaction of their own.
    pub(super) commits: bool,
    pub(super) prefix: Arc<str>,
}

impl Rules {
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(super) fn instant(&self, tick: u8) -> Instant {
        self.began + Duration::from_secs(tick.into())
    }

    pub(super) fn tick(&self, instant: Instant) -> u8 {
        let ticks = instant.duration_since(self.began).as_secs();
        u8::try_from(ticks).unwrap_or(u8::MAX)
    }

    /// How long an undo looks for its claim.
    pub(super) fn search(&self) -> u8 {
        LEASE + self.grace()
    }

    fn grace(&self) -> u8 {
        match self.on_expired_lease {
            ExpiredLease::Reexecute => AFTERLIFE,
            ExpiredLease::Refuse => FOR_GOOD,
        }
    }

    pub(super) fn new_claim(&self, work: Work, token: u16) -> NewClaim {
        let key = StoreKey::new(Arc::clone(&self.prefix), [0; 32]);
        NewClaim {
            token: owner_token(token),
            fingerprint: Some(fingerprint_of(work)),
            grace: Duration::from_secs(self.grace().into()),
            on_expired_lease: self.on_expired_lease,
            ..NewClaim::lock(key, Duration::from_secs(LEASE.into()))
        }
    }
}

/// Returns the number of a claim, which is also its token and the status of its response.
pub(super) fn token_of(by: usize, claims: u16) -> u16 {
    let by = u16::try_from(by).unwrap_or(u16::MAX);
    by * CLAIMS + claims
}

pub(super) fn owner_token(token: u16) -> OwnerToken {
    let [_, byte] = token.to_be_bytes();
    OwnerToken::from_bytes([byte; 16])
}

pub(super) fn number_of(token: &OwnerToken) -> u16 {
    token.as_bytes()[0].into()
}

/// Which request has made a claim.
pub(super) fn owner_of(token: u16) -> usize {
    usize::from((token - 1) / CLAIMS)
}

pub(super) fn fingerprint_of(work: Work) -> Fingerprint {
    Fingerprint::new([work.fingerprint; 32])
}

pub(super) fn record_of(fingerprint: Option<Fingerprint>, token: u16) -> Record {
    Record::Response(RecordedResponse {
        fingerprint,
        status: token,
        headers: Headers::new(),
        body: Bytes::new(),
    })
}
