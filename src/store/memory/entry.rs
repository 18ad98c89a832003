use std::{num::NonZeroU32, sync::Arc};

use tokio::{
    sync::{Notify, futures::OwnedNotified},
    time::Instant,
};

use crate::{
    Fingerprint,
    store::{Answer, Inspected, OwnerToken, Record},
};

/// What one key holds. Boxed, so that the tables are small and cheap to move when they grow.
#[derive(Debug)]
pub(super) enum Entry {
    Claim(Box<Claim>),
    Finished(Box<Finished>),
}

impl Entry {
    /// From when on the key is vacant.
    pub(super) fn until(&self) -> Instant {
        match self {
            Self::Claim(claim) => claim.forgotten_at,
            Self::Finished(finished) => finished.until,
        }
    }

    /// The place of its body among all bodies of the store by age, if it has one.
    pub(super) fn age(&self) -> Option<u64> {
        match self {
            Self::Claim(_) => None,
            Self::Finished(finished) => finished.age,
        }
    }

    /// The bytes that count against the store's bound.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Claim(_) => 0,
            Self::Finished(finished) => finished.size(),
        }
    }

    /// The claim in this entry, if it carries this token.
    pub(super) fn claim_of(&mut self, token: &OwnerToken) -> Option<&mut Claim> {
        match self {
            Self::Claim(claim) if claim.token == *token => Some(claim),
            _ => None,
        }
    }

    /// What an operator is told of it, as long as its time has not passed.
    pub(super) fn inspected(&self, now: Instant) -> Inspected {
        let left = self.until() - now;
        match self {
            Self::Claim(claim) if claim.is_lock() => Inspected::Lock { left },
            Self::Claim(claim) => Inspected::Claim {
                attempt: claim.attempt,
                fingerprint: claim.fingerprint,
                lease_left: (claim.lapses_at > now).then(|| claim.lapses_at - now),
                remembered_for: left,
            },
            Self::Finished(finished) => Inspected::finished(&finished.record, 0, left),
        }
    }
}

#[derive(Debug)]
pub(super) struct Claim {
    pub(super) token: OwnerToken,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) attempt: NonZeroU32,
    pub(super) lapses_at: Instant,
    pub(super) forgotten_at: Instant,
    /// Who waits for the claim to end; made by the first who does.
    pub(super) watchers: Option<Arc<Notify>>,
}

impl Claim {
    /// Ends when the claim does. Counted from this call on.
    pub(super) fn watch(&mut self) -> OwnedNotified {
        let watchers = self.watchers.get_or_insert_default();
        Arc::clone(watchers).notified_owned()
    }

    fn is_lock(&self) -> bool {
        self.fingerprint.is_none() && self.forgotten_at == self.lapses_at
    }
}

/// However it ends: released, replaced, taken away.
impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(watchers) = &self.watchers {
            watchers.notify_waiters();
        }
    }
}

#[derive(Debug)]
pub(super) struct Finished {
    pub(super) record: Record,
    /// Who recorded it, so that a repeated completion recognises itself.
    pub(super) by: OwnerToken,
    pub(super) until: Instant,
    /// The place among all bodies of the store by age; `None` for a tombstone.
    pub(super) age: Option<u64>,
}

impl Finished {
    /// The bytes that count against the store's bound.
    pub(super) fn size(&self) -> usize {
        match &self.record {
            Record::Answer(answer) => answer.size(),
            Record::Tombstone(tombstone) => tombstone.location.as_ref().map_or(0, |l| l.len()),
        }
    }

    /// Gives the body up, and tells how many bytes that made free.
    pub(super) fn bury(&mut self) -> usize {
        let before = self.size();
        if let Record::Answer(answer) = &self.record {
            self.record = Record::Tombstone(Answer::to_tombstone(answer));
        }
        self.age = None;
        before.saturating_sub(self.size())
    }
    /// The same for the location of a tombstone.
    pub(super) fn forget_location(&mut self) -> usize {
        match &mut self.record {
            Record::Answer(_) => 0,
            Record::Tombstone(tombstone) => tombstone.location.take().map_or(0, |it| it.len()),
        }
    }
}
