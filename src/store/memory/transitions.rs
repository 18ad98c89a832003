//! What one key goes through. Every decision is made here, by what the key holds, what is asked and
//! what time it is, and by nothing else: no clock, no map, no lock. The store's operations carry
//! the decisions out; the model of the claims' life walks through all that can follow from them.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use crate::{
    config::ExpiredLease,
    fingerprint::Fingerprint,
    store::{Begin, ClaimId, Held, Lease, NewClaim, OwnerToken, Record},
};

/// A claim that holds its key until its lease expires, and is remembered until it is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    pub(crate) token: OwnerToken,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) attempt: NonZeroU32,
    pub(crate) lapses_at: Instant,
    pub(crate) forgotten_at: Instant,
}

/// A record, kept until its retention ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Finished {
    pub(crate) record: Record,
    /// Who brought it, so that a repeated completion recognises itself.
    pub(crate) by: OwnerToken,
    pub(crate) since: Instant,
    pub(crate) until: Instant,
}

/// What a key can hold. Once its time has passed it holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    Claim(Claim),
    Finished(Finished),
}

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SlotRef<'a> {
    Claim(&'a Claim),
    Finished(&'a Finished),
}

/// What becomes of a key.
#[derive(Debug)]
pub(crate) enum Transition {
    /// It holds what it held.
    Keep,
    /// It holds this.
    Put(Slot),
    /// Its claim holds it for longer.
    Extend {
        lapses_at: Instant,
        forgotten_at: Instant,
    },
    /// It holds nothing.
    Vacate,
}

impl Claim {
    pub(crate) fn is_lock(&self) -> bool {
        self.fingerprint.is_none() && self.forgotten_at == self.lapses_at
    }
}

/// Somebody claims the key.
pub(crate) fn begin(
    found: Option<SlotRef<'_>>,
    claim: &NewClaim,
    now: Instant,
) -> (Begin, Transition) {
    let attempt = match found {
        None => NonZeroU32::MIN,
        Some(SlotRef::Finished(finished)) => {
            return (Begin::Finished(finished.record.clone()), Transition::Keep);
        }
        Some(SlotRef::Claim(held)) if held.token == claim.token => {
            return (claimed(claim, held.attempt), Transition::Keep);
        }
        Some(SlotRef::Claim(held)) if now < held.lapses_at => {
            let same = held.fingerprint == claim.fingerprint;
            let in_flight = Begin::InFlight {
                by: Some(ClaimId::new(held.token)),
                fingerprint: held.fingerprint,
                left: same.then(|| held.lapses_at - now),
            };
            return (in_flight, Transition::Keep);
        }
        Some(SlotRef::Claim(dead)) => {
            let same = dead.fingerprint == claim.fingerprint;
            if !same || claim.on_expired_lease == ExpiredLease::Refuse {
                let fingerprint = dead.fingerprint;
                return (Begin::Expired { fingerprint }, Transition::Keep);
            }
            dead.attempt.saturating_add(1)
        }
    };
    let lapses_at = after(now, claim.lease);
    let held = Claim {
        token: claim.token,
        fingerprint: claim.fingerprint,
        attempt,
        lapses_at,
        forgotten_at: after(lapses_at, claim.grace),
    };
    (claimed(claim, attempt), Transition::Put(Slot::Claim(held)))
}

/// An owner asks for another full lease.
pub(crate) fn renew(found: Option<SlotRef<'_>>, lease: &Lease, now: Instant) -> (Held, Transition) {
    if !is_claim_of(found, lease) {
        return (Held::Lost, Transition::Keep);
    }
    let lapses_at = after(now, lease.duration());
    let change = Transition::Extend {
        lapses_at,
        forgotten_at: after(lapses_at, lease.grace()),
    };
    (Held::Yes, change)
}

/// An owner brings its record. Brought twice it is written once; a place that has become vacant is
/// filled, for a response that exists is better kept.
pub(crate) fn complete(
    found: Option<SlotRef<'_>>,
    lease: &Lease,
    record: &Record,
    retention: Duration,
    now: Instant,
) -> (Held, Transition) {
    match found {
        Some(SlotRef::Finished(finished)) if finished.by == *lease.token() => {
            return (Held::Yes, Transition::Keep);
        }
        Some(SlotRef::Claim(claim)) if claim.token == *lease.token() => {}
        None => {}
        Some(_) => return (Held::Lost, Transition::Keep),
    }
    let finished = Finished {
        record: record.clone(),
        by: *lease.token(),
        since: now,
        until: after(now, retention),
    };
    (Held::Yes, Transition::Put(Slot::Finished(finished)))
}

/// An owner gives the key back.
pub(crate) fn release(found: Option<SlotRef<'_>>, lease: &Lease) -> (Held, Transition) {
    match is_claim_of(found, lease) {
        true => (Held::Yes, Transition::Vacate),
        false => (Held::Lost, Transition::Keep),
    }
}

fn is_claim_of(found: Option<SlotRef<'_>>, lease: &Lease) -> bool {
    matches!(found, Some(SlotRef::Claim(claim)) if claim.token == *lease.token())
}

fn claimed(claim: &NewClaim, attempt: NonZeroU32) -> Begin {
    Begin::Claimed {
        lease: claim.lease(),
        attempt,
    }
}

/// A moment so far away that it makes no difference is as good as one that does not exist.
fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start + time.min(FAR)
}
