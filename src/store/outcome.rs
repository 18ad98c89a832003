use std::{
    num::NonZeroU32,
    time::{Duration, SystemTime},
};

use super::{ClaimId, Lease, Record};
use crate::fingerprint::Fingerprint;

/// The outcome of a claim in a store.
#[derive(Clone, Debug)]
pub enum Begin {
    /// The key was vacant, and is claimed.
    Claimed {
        /// The right to renew, complete and release it.
        lease: Lease,
        /// 1 for a key that was vacant, one more for each owner that crashed before.
        attempt: NonZeroU32,
    },
    /// The key has another claim. One with another fingerprint may have expired: a store need not find that
    /// out, because it is reported either way.
    InFlight {
        /// Its identity, for [`Store::changed`](super::Store::changed); unknown for a lock.
        by: Option<ClaimId>,
        /// The fingerprint of the other claim, if it has one.
        fingerprint: Option<Fingerprint>,
        /// The rest of its lease. Only for an equal fingerprint: it may cost the store a second step, and
        /// is not needed otherwise.
        left: Option<Duration>,
    },
    /// The owner crashed: its lease expired, and the claim was neither completed nor taken over.
    Expired {
        /// The fingerprint of the expired claim, if it had one.
        fingerprint: Option<Fingerprint>,
    },
    /// The work is done.
    Finished(Record),
    /// The key has something that this store cannot read.
    Unreadable,
}

/// The reply of a store to the end of a claim: whether the claim still had its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It had, and the call did its work.
    Yes,
    /// It had not; nothing was changed.
    Lost,
}

/// The reply of a store to a renewal: whether the claim still has its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It has, for another full lease.
    Yes {
        /// The store's time of this renewal.
        at: StoreTime,
    },
    /// It has not; nothing was changed.
    Lost,
}

/// Microseconds on the store's clock, since 1970 in the stores of this crate.
///
/// Only the order has a meaning, and only within one store: a later owner of a key gets a later time, unless
/// that clock steps back. That makes it a fencing token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTime(pub u64);

impl StoreTime {
    /// Returns the time of this machine, where no store is to be asked.
    pub(crate) fn of_this_machine() -> Self {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX))
    }
}
