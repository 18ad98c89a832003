use std::{fmt::Debug, time::Duration};

use futures_util::future::BoxFuture;

use super::{Begin, ClaimId, Held, Lease, NewClaim, Record, Renewed, Store, StoreError, StoreKey};

/// [`Store`] with boxed futures, so that a middleware can hold any store without naming it.
///
/// Boxing costs one allocation per call. It buys middlewares that are not generic: their names
/// fit into a struct field and an error message.
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
}

impl<S: Store> ErasedStore for S {
    fn begin<'a>(&'a self, claim: &'a NewClaim) -> BoxFuture<'a, Result<Begin, StoreError>> {
        Box::pin(Store::begin(self, claim))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewed, StoreError>> {
        Box::pin(Store::renew(self, lease))
    }

    fn complete<'a>(
        &'a self,
        lease: &'a Lease,
        record: &'a Record,
        retention: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(Store::complete(self, lease, record, retention))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(Store::release(self, lease))
    }

    fn changed<'a>(
        &'a self,
        key: &'a StoreKey,
        seen: &'a ClaimId,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(Store::changed(self, key, seen))
    }
}
