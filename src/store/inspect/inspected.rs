use std::{num::NonZeroU32, time::Duration};

use crate::{fingerprint::Fingerprint, store::Record};

/// What holds a key. Never says whose claim it is: who knows the owner's token can free the key.
///
/// All times are told by the store's clock. A time without end is told as a hundred years.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspected {
    /// A [lock](crate::store::NewClaim::lock): a claim with neither fingerprint nor afterlife.
    Lock {
        /// After which time the key is vacant, unless the lock is renewed.
        left: Duration,
    },
    /// Any other claim.
    Claim {
        /// 1 for the first owner of the key, one more for each that died before.
        attempt: NonZeroU32,
        /// What the request looks like, when that is compared.
        fingerprint: Option<Fingerprint>,
        /// How long the lease still lasts; `None` when it has lapsed.
        lease_left: Option<Duration>,
        /// After which time the key is vacant, unless the claim is renewed: what is left of the
        /// lease, and the afterlife.
        remembered_for: Duration,
    },
    /// The work is done.
    Finished {
        /// The HTTP status of the answer, when it is known.
        status: Option<u16>,
        /// What the request looked like, when that is compared.
        fingerprint: Option<Fingerprint>,
        /// The bytes of the recorded headers and body; `None` when the answer was not kept. What is
        /// in them is not told: it is the caller's, not the operator's.
        size: Option<usize>,
        /// After which time the key is vacant.
        left: Duration,
    },
    /// Something that this store cannot read. It holds the key as anything else does.
    Unreadable,
}

impl Inspected {
    /// What a store tells of a record, if it has left `more` bytes of the body where they are.
    pub fn finished(record: &Record, more: usize, left: Duration) -> Self {
        let (status, size) = match record {
            Record::Answer(answer) => (Some(answer.status), Some(answer.size() + more)),
            Record::Tombstone(tombstone) => (tombstone.status, None),
        };
        Self::Finished {
            status,
            fingerprint: record.fingerprint().copied(),
            size,
            left,
        }
    }
}
