//! For operators: what a store holds, and how to take it away.

use std::{
    fmt,
    future::Future,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use super::{Record, Store, StoreError, StoreKey};
use crate::fingerprint::Fingerprint;

/// Shows what a store holds, and removes what stands in the way. For operators and their tools; no
/// middleware asks for it.
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
///
/// use actix_web_idempotency::{
///     MemoryStore,
///     store::{Cursor, Inspect, Inspected, NewClaim, Store, StoreKey},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let key = StoreKey::new("orders:", [7; 32]);
/// store.begin(&NewClaim::lock(key.clone(), Duration::from_secs(60))).await?;
///
/// let most = NonZeroUsize::new(100).expect("100 is not 0");
/// let mut next = Some(Cursor::start());
/// while let Some(from) = next {
///     let page = store.list("orders:", &from, most).await?;
///     for (key, held) in page.entries {
///         if matches!(held, Inspected::Lock { .. }) {
///             assert!(store.force_release(&key).await?);
///         }
///     }
///     next = page.next;
/// }
/// assert_eq!(store.look_up(&key).await?, None);
/// # Ok(())
/// # }
/// ```
///
/// # Contract
///
/// * Each key is looked up, released and deleted in one atomic step. A page is not one: its
///   entries were there one after the other.
/// * What is told is what [`Store::begin`] would meet, by the same clock. What has ended is not
///   shown, whether or not it has been taken away yet.
/// * A lock is told as [`Inspected::Lock`], however the store keeps it.
/// * Neither the owner's token nor anything of a recorded answer but its status and its size is
///   told.
/// * Every call ends within the bound of the store's other calls.
///
/// The suite in `store::conformance` (feature `test-util`) checks what can be checked from
/// outside. There are no default methods: a store that forgot one would be wrong in silence.
pub trait Inspect: Store {
    /// What holds the key; `None` when it is vacant.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn look_up(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<Option<Inspected>, StoreError>> + Send;

    /// A page of the keys whose text [begins with](StoreKey::begins_with) `prefix`, and what holds
    /// them. The empty prefix finds all. What else is kept in the same place is passed over.
    ///
    /// A walk begins at [`Cursor::start`] and goes on at [`Page::next`] until there is none. It
    /// finds every key that is held from its beginning to its end at least once; one that comes or
    /// goes meanwhile it may find or not. A page may hold fewer than `most` or slightly more, and
    /// none at all although there is a next one.
    ///
    /// Recorded bodies are not read out.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked, or the cursor is not one that it gave.
    fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Removes a claim or lock, live or lapsed, whoever owns it, and wakes those who wait for it.
    /// Tells whether there was one. Never removes a record, nor what it cannot read.
    ///
    /// **The operation may run again while the first run still goes on**, for this does not stop
    /// it: whoever comes next claims the key as the first attempt. The former owner finds out when
    /// it next renews, or, as that of a lock, when it is done. Until somebody else has claimed the
    /// key its answer still fills the vacant place; after that it is not recorded. Do this to the
    /// claim of an owner that is known to be dead, or when a second run does no harm.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; the key may be vacant all the same.
    fn force_release(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes the key vacant, whatever holds it: a claim, a record, or something that cannot be
    /// read. Wakes those who wait for it. Tells whether there was something.
    ///
    /// **Without its record a finished operation runs again** when it is repeated. For a claim the
    /// same is true as for [`force_release`](Self::force_release).
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; the key may be vacant all the same.
    fn delete(&self, key: &StoreKey) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl<S: Inspect> Inspect for Arc<S> {
    fn look_up(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<Option<Inspected>, StoreError>> + Send {
        S::look_up(self, key)
    }

    fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send {
        S::list(self, prefix, from, most)
    }

    fn force_release(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        S::force_release(self, key)
    }

    fn delete(&self, key: &StoreKey) -> impl Future<Output = Result<bool, StoreError>> + Send {
        S::delete(self, key)
    }
}

/// A part of what a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What was found, in an order of the store's own.
    pub entries: Vec<(StoreKey, Inspected)>,
    /// Where the next page begins; `None` at the end of the walk. There can be a next page when
    /// this one is empty.
    pub next: Option<Cursor>,
}

/// What holds a key. Never says whose claim it is: who knows the owner's token can free the key.
///
/// All times are told by the store's clock. A time without end is told as a hundred years.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspected {
    /// A [lock](crate::store::NewClaim::lock): a claim with neither fingerprint nor grace.
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
        /// lease, and the grace.
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
            Record::Response(answer) => (Some(answer.status), Some(answer.size() + more)),
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

/// How far a walk over a store has come.
///
/// Its text can be handed to somebody else, who goes on with it later. What it says is the store's
/// own business, and it means nothing to another store.
///
/// ```
/// use actix_web_idempotency::store::Cursor;
///
/// let cursor = Cursor::new("17");
/// assert_eq!(Cursor::new(cursor.to_string()), cursor);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Where every walk begins.
    pub fn start() -> Self {
        Self(String::new())
    }

    /// A cursor from its text: for a store, and for one that comes back from a client.
    /// An empty text is the [`start`](Self::start).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a walk begins here.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
