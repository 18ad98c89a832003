use tokio::runtime::Handle;

use super::STAND_IN;

/// Until it is dropped, the background work that begins on this thread runs on the runtime that
/// [`here`](Self::here) was called in, so that a test's paused time reaches it.
///
/// ```
/// use actix_web_idempotency::testing::BackgroundHere;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// tokio::time::pause();
/// let _here = BackgroundHere::here();
/// // locks that are dropped from here on are released when this runtime comes to it
/// # }
/// ```
#[derive(Debug)]
pub struct BackgroundHere(());

impl BackgroundHere {
    /// Moves background work to the current runtime.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn here() -> Self {
        STAND_IN.with(|handle| *handle.borrow_mut() = Some(Handle::current()));
        Self(())
    }
}

impl Drop for BackgroundHere {
    fn drop(&mut self) {
        let _ = STAND_IN.try_with(|handle| handle.borrow_mut().take());
    }
}
