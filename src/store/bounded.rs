use std::{future::Future, time::Duration};

use tokio::time::timeout;

use super::StoreError;

/// The longest a middleware waits for one call of a store that has no bound of its own.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Waits for a call of a store, but not for ever.
pub(super) async fn bounded<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    (timeout(LIMIT, call).await).unwrap_or_else(|_elapsed| Err(StoreError::timeout()))
}
