use std::{num::NonZeroU32, time::Duration};

use super::{ClaimId, Lease, Record};
use crate::fingerprint::Fingerprint;

/// What a store says to a claim.
#[derive(Clone, Debug)]
pub enum Begin {
    /// The key is yours.
    Claimed {
        /// The right to renew, complete and release it.
        lease: Lease,
        /// 1 for a key that was vacant, one more for each owner that died before.
        attempt: NonZeroU32,
    },
    /// Another claim holds the key. One with another fingerprint may have lapsed: a store need not
    /// find that out, for it is reported either way.
    InFlight {
        /// Which, for [`Store::changed`](super::Store::changed); unknown for a lock.
        by: Option<ClaimId>,
        /// The fingerprint of the other claim, if it has one.
        fingerprint: Option<Fingerprint>,
        /// How long its lease still lasts. Told only for an equal fingerprint: it may cost the
        /// store a second step, and nobody needs it otherwise.
        left: Option<Duration>,
    },
    /// The owner died: its lease lapsed, nobody completed it and nobody took it over.
    Expired {
        /// The fingerprint of the dead claim, if it had one.
        fingerprint: Option<Fingerprint>,
    },
    /// The work is done.
    Finished(Record),
    /// Something is there that this store cannot read.
    Unreadable,
}

/// Whether the claim was still one's own when the store was asked to end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was, and the call did what it says.
    Yes,
    /// It was not; nothing was changed.
    Lost,
}

/// Whether the claim is still one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It is, for another full lease.
    Yes {
        /// The store's time of this renewal.
        at: StoreTime,
    },
    /// It is not; nothing was changed.
    Lost,
}

/// Microseconds on the store's clock, since 1970 in the stores of this crate.
///
/// Only the order means something, and only within one store: a later owner of a key is told a
/// later time, unless that clock steps back. That makes it a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTime(pub u64);
