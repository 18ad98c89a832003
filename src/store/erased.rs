use std::{any::Any, fmt::Debug, future::Future, num::NonZeroUsize, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::{
    AnyStore, Begin, ClaimId, CompletionSql, Cursor, Held, Inspect, Inspected, Lease, NewClaim,
    Page, Record, Renewed, Store, StoreError, StoreKey,
};

/// [`Store`] with boxed futures, so that a middleware can hold any store without naming it.
///
/// Boxing costs one allocation per call. In return the middlewares are not generic: their names fit into a
/// struct field and an error message.
pub(crate) trait ErasedStore: Debug + Send + Sync + 'static {
    fn begin<'a>(&'a self, claim: &'a NewClaim) -> BoxFuture<'a, Result<Begin, StoreError>>;
    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewed, StoreError>>;
    fn complete<'a>(
        &'a self,
        lease: &'a Lease,
        record: &'a Record,
        retention: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>>;
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Held, StoreError>>;
    fn changed<'a>(
        &'a self,
        key: &'a StoreKey,
        seen: &'a ClaimId,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
    fn completion(&self) -> Option<CompletionSql>;
}

impl<S: Store> ErasedStore for S {
    fn begin<'a>(&'a self, claim: &'a NewClaim) -> BoxFuture<'a, Result<Begin, StoreError>> {
        boxed::<S, _>(Store::begin(self, claim))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewed, StoreError>> {
        boxed::<S, _>(Store::renew(self, lease))
    }

    fn complete<'a>(
        &'a self,
        lease: &'a Lease,
        record: &'a Record,
        retention: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        boxed::<S, _>(Store::complete(self, lease, record, retention))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Held, StoreError>> {
        boxed::<S, _>(Store::release(self, lease))
    }

    fn changed<'a>(
        &'a self,
        key: &'a StoreKey,
        seen: &'a ClaimId,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(Store::changed(self, key, seen))
    }

    fn completion(&self) -> Option<CompletionSql> {
        Store::completion(self)
    }
}

/// [`Inspect`] with boxed futures.
pub(super) trait ErasedInspect: ErasedStore {
    fn look_up<'a>(
        &'a self,
        key: &'a StoreKey,
    ) -> BoxFuture<'a, Result<Option<Inspected>, StoreError>>;
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        from: &'a Cursor,
        most: NonZeroUsize,
    ) -> BoxFuture<'a, Result<Page, StoreError>>;
    fn force_release<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>>;
    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>>;
}

impl<S: Inspect> ErasedInspect for S {
    fn look_up<'a>(
        &'a self,
        key: &'a StoreKey,
    ) -> BoxFuture<'a, Result<Option<Inspected>, StoreError>> {
        boxed::<S, _>(Inspect::look_up(self, key))
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        from: &'a Cursor,
        most: NonZeroUsize,
    ) -> BoxFuture<'a, Result<Page, StoreError>> {
        boxed::<S, _>(Inspect::list(self, prefix, from, most))
    }

    fn force_release<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        boxed::<S, _>(Inspect::force_release(self, key))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        boxed::<S, _>(Inspect::delete(self, key))
    }
}

/// Puts a store behind a pointer, unless it is there already.
pub(crate) fn erase(store: impl Store) -> Arc<dyn ErasedStore> {
    match (&store as &dyn Any).downcast_ref::<AnyStore>() {
        Some(any) => any.erased(),
        None => Arc::new(store),
    }
}

/// Boxes a call and bounds its time.
fn boxed<'a, S: Store, T: Send + 'a>(
    call: impl Future<Output = Result<T, StoreError>> + Send + 'a,
) -> BoxFuture<'a, Result<T, StoreError>> {
    match S::IS_BOUNDED {
        true => Box::pin(call),
        false => Box::pin(bounded(call)),
    }
}

/// The longest that a middleware waits for a call of a store without a time limit of its own.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Waits for a call of a store, for 10 s at most.
pub(super) async fn bounded<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    (timeout(LIMIT, call).await).unwrap_or_else(|_elapsed| Err(StoreError::timeout()))
}
