use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

use crate::store::StoreError;

/// The longest a middleware waits for one call of a store. Stores keep a tighter bound of their
/// own (Redis: 500 ms); this one is for those that do not.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Waits for a call of a store, but not for ever.
pub(super) async fn bounded<T>(
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut call = pin!(call);
    // A store in this process is done at once. No clock is read for it, which costs as much as it
    // does.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
        return done;
    }
    (timeout(LIMIT, call).await).unwrap_or_else(|_elapsed| Err(StoreError::timeout()))
}
