use std::{num::NonZeroU32, time::Duration};

use crate::{Fingerprint, store::Record};

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
        /// What is left of it.
        record: Record,
        /// After which time the key is vacant.
        left: Duration,
    },
    /// Something that this store cannot read. It holds the key as anything else does.
    Unreadable,
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::store::{Answer, Page, StoreKey};

    #[test]
    fn debug_shows_no_content() {
        let record = Record::Answer(Answer {
            fingerprint: None,
            status: 201,
            headers: vec![("location".to_owned(), Bytes::from_static(b"/secret"))],
            body: Bytes::from_static(b"secret"),
        });
        let left = Duration::from_secs(60);
        let page = Page {
            entries: vec![(
                StoreKey::new("orders:", [7; 32]),
                Inspected::Finished { record, left },
            )],
            next: None,
        };
        let shown = format!("{page:?}");
        assert!(
            shown.contains("201") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
