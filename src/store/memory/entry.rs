use std::sync::Arc;

use bytes::Bytes;
use tokio::{
    sync::{Notify, futures::OwnedNotified},
    time::Instant,
};

use super::transitions::{Claim, Finished, Slot, SlotRef};
use crate::store::{Inspected, Record};

/// What one key holds. Boxed, so that the tables are small and cheap to move when they grow.
#[derive(Debug)]
pub(super) enum Entry {
    Claim(Box<WatchedClaim>),
    Finished(Box<Finished>),
}

impl Entry {
    pub(super) fn new(holding: Slot) -> Self {
        match holding {
            Slot::Claim(claim) => Self::Claim(Box::new(WatchedClaim {
                claim,
                watchers: None,
            })),
            Slot::Finished(mut finished) => {
                // It may be a small piece of something large, which nobody counts.
                if let Record::Response(answer) = &mut finished.record {
                    answer.body = Bytes::copy_from_slice(&answer.body);
                }
                Self::Finished(Box::new(finished))
            }
        }
    }

    /// What decisions are made by.
    pub(super) fn found(&self) -> SlotRef<'_> {
        match self {
            Self::Claim(watched) => SlotRef::Claim(&watched.claim),
            Self::Finished(finished) => SlotRef::Finished(finished),
        }
    }

    /// From when on the key is vacant.
    pub(super) fn until(&self) -> Instant {
        match self {
            Self::Claim(watched) => watched.claim.forgotten_at,
            Self::Finished(finished) => finished.until,
        }
    }

    /// Since when its body is kept, if it has one.
    pub(super) fn body_since(&self) -> Option<Instant> {
        match self {
            Self::Claim(_) => None,
            Self::Finished(finished) => match finished.record {
                Record::Response(_) => Some(finished.since),
                Record::Tombstone(_) => None,
            },
        }
    }

    /// The bytes that count against the store's bound.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Claim(_) => 0,
            Self::Finished(finished) => match &finished.record {
                Record::Response(answer) => answer.size(),
                Record::Tombstone(tombstone) => tombstone.location.as_ref().map_or(0, |l| l.len()),
            },
        }
    }

    /// Gives its body up, if it has one, and tells how many bytes that made free.
    pub(super) fn drop_body(&mut self) -> usize {
        let before = self.size();
        if let Self::Finished(finished) = self
            && let Record::Response(answer) = &finished.record
        {
            finished.record = Record::Tombstone(answer.to_tombstone());
        }
        before.saturating_sub(self.size())
    }

    /// Gives its location up, if it is a tombstone, and tells how many bytes that made free.
    pub(super) fn drop_location(&mut self) -> usize {
        match self {
            Self::Finished(finished) => match &mut finished.record {
                Record::Tombstone(tombstone) => tombstone.location.take().map_or(0, |it| it.len()),
                Record::Response(_) => 0,
            },
            Self::Claim(_) => 0,
        }
    }

    /// Holds its key for longer, if it is a claim.
    pub(super) fn extend(&mut self, lapses_at: Instant, forgotten_at: Instant) {
        if let Self::Claim(watched) = self {
            watched.claim.lapses_at = lapses_at;
            watched.claim.forgotten_at = forgotten_at;
        }
    }

    /// What an operator is told of it, as long as its time has not passed.
    pub(super) fn inspected(&self, now: Instant) -> Inspected {
        let left = self.until() - now;
        let claim = match self {
            Self::Claim(watched) => &watched.claim,
            Self::Finished(finished) => return Inspected::finished(&finished.record, 0, left),
        };
        if claim.is_lock() {
            return Inspected::Lock { left };
        }
        Inspected::Claim {
            attempt: claim.attempt,
            fingerprint: claim.fingerprint,
            lease_left: (claim.lapses_at > now).then(|| claim.lapses_at - now),
            remembered_for: left,
        }
    }
}

/// A claim, and who waits for it to end.
#[derive(Debug)]
pub(super) struct WatchedClaim {
    pub(super) claim: Claim,
    /// Made by the first who does.
    watchers: Option<Arc<Notify>>,
}

impl WatchedClaim {
    /// Ends when the claim does. Counted from this call on.
    pub(super) fn watch(&mut self) -> OwnedNotified {
        let watchers = self.watchers.get_or_insert_default();
        Arc::clone(watchers).notified_owned()
    }
}

/// However it ends: released, replaced, taken away.
impl Drop for WatchedClaim {
    fn drop(&mut self) {
        if let Some(watchers) = &self.watchers {
            watchers.notify_waiters();
        }
    }
}
