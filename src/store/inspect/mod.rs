//! For operators: what a store holds, and how to take it away.

mod cursor;
mod inspected;
mod page;

use std::{future::Future, num::NonZeroUsize, sync::Arc};

pub use self::{cursor::Cursor, inspected::Inspected, page::Page};
use super::{Store, StoreError, StoreKey};

/// Shows what a store holds, and removes what stands in the way. For operators and their tools; no
/// middleware asks for it.
///
/// ```
/// use std::{num::NonZeroUsize, time::Duration};
///
/// use actix_idempotency::{
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
