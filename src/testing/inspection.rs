use std::num::NonZeroUsize;

use super::FaultyStore;
use crate::store::{Cursor, Inspect, Inspected, Page, StoreError, StoreKey};

/// As the store underneath does it: faults are for the calls of middlewares.
impl<S: Inspect> Inspect for FaultyStore<S> {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        self.store.look_up(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        self.store.list(prefix, from, most).await
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.store.force_release(key).await
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.store.delete(key).await
    }
}
