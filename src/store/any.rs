use std::{any::Any, fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    Begin, ClaimId, CompletionSql, Cursor, ErasedInspect, ErasedStore, Held, Inspect, Inspected,
    Lease, NewClaim, Page, Record, Renewed, Store, StoreError, StoreKey,
};

/// A store whose kind is chosen at run time.
///
/// For an application that reads from its configuration where keys are stored. Everything that takes a store
/// takes this one; nothing has to be generic. Clones share the store.
///
/// ```
/// use actix_web_idempotency::{AnyStore, ApiLock, ConfigError, Idempotency, MemoryStore, RedisStore, Scope};
///
/// fn store(redis_url: Option<&str>) -> Result<AnyStore, ConfigError> {
///     Ok(match redis_url {
///         Some(url) => AnyStore::new(RedisStore::new(url)?),
///         None => AnyStore::new(MemoryStore::new()),
///     })
/// }
///
/// let store = store(None)?;
/// let idempotency = Idempotency::new(store.clone(), Scope::header("x-tenant-id"))?;
/// let lock = ApiLock::new(store, |req| req.path().to_owned());
/// # Ok::<_, ConfigError>(())
/// ```
///
/// * **Cost:** none. The middlewares hold every store behind a pointer, and do not wrap this one again.
/// * **Time limit:** that of the store inside. A store without a limit of its own gets 10 s per call, as it
///   does without `AnyStore`; [`Store::changed`] has none.
#[derive(Clone)]
pub struct AnyStore(Arc<dyn ErasedInspect>);

impl AnyStore {
    /// Wraps a store.
    pub fn new(store: impl Inspect) -> Self {
        match (&store as &dyn Any).downcast_ref::<Self>() {
            Some(any) => any.clone(),
            None => Self(Arc::new(store)),
        }
    }

    pub(super) fn erased(&self) -> Arc<dyn ErasedStore> {
        Arc::clone(&self.0) as _
    }
}

impl Store for AnyStore {
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        ErasedStore::begin(&*self.0, claim).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        ErasedStore::renew(&*self.0, lease).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        ErasedStore::complete(&*self.0, lease, record, retention).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        ErasedStore::release(&*self.0, lease).await
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        ErasedStore::changed(&*self.0, key, seen).await
    }

    fn completion(&self) -> Option<CompletionSql> {
        ErasedStore::completion(&*self.0)
    }
}

impl Inspect for AnyStore {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        ErasedInspect::look_up(&*self.0, key).await
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        ErasedInspect::list(&*self.0, prefix, from, most).await
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        ErasedInspect::force_release(&*self.0, key).await
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        ErasedInspect::delete(&*self.0, key).await
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
    use crate::store::{erase, memory::MemoryStore};

    #[test]
    fn any_store_is_never_wrapped_twice() {
        let store = AnyStore::new(MemoryStore::new());
        let again = AnyStore::new(store.clone());
        assert!(Arc::ptr_eq(&store.0, &again.0));
        let erased = erase(store.clone());
        assert!(std::ptr::addr_eq(
            Arc::as_ptr(&erased),
            Arc::as_ptr(&store.0)
        ));
    }
}
