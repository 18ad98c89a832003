//! The contents of a store, for operators, and their removal.

use std::{
    fmt,
    future::Future,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use super::{Record, Store, StoreError, StoreKey};
use crate::fingerprint::Fingerprint;

/// Shows what a store contains, and removes what is in the way. For operators and their tools; no middleware
/// calls it.
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
/// * Each key is looked up, released and deleted in one atomic step. A page is not one: its entries were there
///   one after the other.
/// * It reports what [`Store::begin`] would meet, by the same clock. What has expired is not shown, whether or
///   not it has been removed yet.
/// * A lock is reported as [`Inspected::Lock`], however the store stores it.
/// * Of an owner and a recorded response nothing is reported but status and size.
/// * Every call ends within the time limit of the store's other calls.
///
/// The suite in `store::conformance` (feature `test-util`) checks what can be checked from outside. There are
/// no default methods: a store that forgot one would be wrong silently.
pub trait Inspect: Store {
    /// Returns what the key has; `None` if it is vacant.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn look_up(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<Option<Inspected>, StoreError>> + Send;

    /// Returns a page of the keys whose text [begins with](StoreKey::begins_with) `prefix`, and what they have.
    /// The empty prefix finds all. Other data in the same place is skipped.
    ///
    /// A walk begins at [`Cursor::start`] and goes on at [`Page::next`] until there is none. It finds every key
    /// that is there from its beginning to its end at least once, and may or may not find one that comes or
    /// goes meanwhile. A page may contain fewer than `most` entries or slightly more, and none at all although
    /// there is a next page.
    ///
    /// Recorded bodies are not read.
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

    /// Removes a claim or lock, live or expired, whoever owns it, and notifies waiting duplicates. Returns
    /// whether there was one. Never removes a record, nor what it cannot read.
    ///
    /// **The operation may run again while the first run still goes on**, because this does not stop it: the
    /// next request claims the key as the first attempt. The former owner finds out at its next renewal, or, as
    /// the owner of a lock, when it is done. Until there is another owner, its response is still recorded;
    /// after that it is not. Do this to the claim of a crashed owner, or if a second run does no harm.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; the key may be vacant all the same.
    fn force_release(
        &self,
        key: &StoreKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes the key vacant, whatever it has: a claim, a record, or something that cannot be read. Notifies
    /// waiting duplicates. Returns whether there was something.
    ///
    /// **Without its record a finished operation runs again** when it is retried. For a claim the same is true
    /// as for [`force_release`](Self::force_release).
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

/// A part of what a store contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries, in an order of the store's own.
    pub entries: Vec<(StoreKey, Inspected)>,
    /// The beginning of the next page; `None` at the end of the walk. There can be a next page when
    /// this one is empty.
    pub next: Option<Cursor>,
}

/// The contents of a key. They never include the owner's token, because it can free the key.
///
/// All times are by the store's clock. A time without end is a hundred years.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspected {
    /// A [lock](crate::store::NewClaim::lock): a claim without fingerprint and grace period.
    Lock {
        /// The time until the key becomes vacant, unless the lock is renewed.
        left: Duration,
    },
    /// Any other claim.
    Claim {
        /// 1 for the first owner of the key, one more for each that crashed before.
        attempt: NonZeroU32,
        /// The fingerprint of the request, if it is compared.
        fingerprint: Option<Fingerprint>,
        /// The rest of the lease; `None` if it has expired.
        lease_left: Option<Duration>,
        /// The time until the key becomes vacant, unless the claim is renewed: the rest of the lease, and the
        /// grace period.
        remembered_for: Duration,
    },
    /// The work is done.
    Finished {
        /// The HTTP status of the response, if it is known.
        status: Option<u16>,
        /// The fingerprint of the request, if it is compared.
        fingerprint: Option<Fingerprint>,
        /// The bytes of the recorded headers and body; `None` if the response was not recorded. Their content
        /// is not reported: it is the caller's, not the operator's.
        size: Option<usize>,
        /// When the key becomes vacant.
        left: Duration,
    },
    /// Something that this store cannot read. It blocks the key as anything else does.
    Unreadable,
}

impl Inspected {
    /// Returns what to report of a record, if `more` bytes of the body were left in the store.
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

/// The position of a walk over a store.
///
/// Its text can be handed to another program, which goes on with it later. It means nothing to another store.
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
    /// Returns where every walk begins.
    pub fn start() -> Self {
        Self(String::new())
    }

    /// Returns a cursor from its text: for a store, and for one that comes back from a client. An empty text is
    /// the [`start`](Self::start).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns whether a walk begins here.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
