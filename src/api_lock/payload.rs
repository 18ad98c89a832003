use std::fmt;

use actix_web::Error;
use serde::Serialize;

use crate::{
    fingerprint::Fingerprint,
    middleware::{RequestFn, RequestView, digest},
};

/// The payload of an [`ApiLock`](crate::ApiLock): two requests with equal ones are duplicates.
///
/// For [`ApiLock::builder_with_payload`](crate::ApiLock::builder_with_payload). A closure that neither fails
/// nor waits needs no `LockPayload`: give it to [`ApiLock::new`](crate::ApiLock::new) or
/// [`ApiLock::builder`](crate::ApiLock::builder).
///
/// ```
/// use actix_web::error::ErrorUnauthorized;
/// use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
/// use serde_json::json;
///
/// struct UserId(u64); // in the extensions, by the layer that authenticates
///
/// let payload = LockPayload::fallible(|req| {
///     if req.path() == "/health" {
///         return Ok(None); // runs without a lock
///     }
///     let user = req.extensions().get::<UserId>().map(|user| user.0);
///     let user = user.ok_or_else(|| ErrorUnauthorized("log in first"))?;
///     Ok(Some(json!({ "user": user, "path": req.path(), "body": req.body() })))
/// });
/// let lock = ApiLock::builder_with_payload(MemoryStore::new(), payload).build()?;
/// # Ok::<_, actix_web_idempotency::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct LockPayload(RequestFn<Option<Fingerprint>>);

impl LockPayload {
    /// Takes the payload from a closure: any [`Serialize`] value, compared as canonical JSON.
    pub fn from_fn<F, P>(payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self(RequestFn::from_fn(payload, |payload: P| {
            payload.digest().map(Some)
        }))
    }

    /// Takes the payload from a closure that can fail, or let a request run without a lock by `Ok(None)`.
    /// An error becomes the response, and nothing is locked.
    pub fn fallible<F, P>(payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> Result<Option<P>, Error> + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self(RequestFn::from_fn(payload, locked))
    }

    /// Takes the payload from an async closure, for instance one that looks up a session. Otherwise like
    /// [`fallible`](Self::fallible).
    ///
    /// ```
    /// use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
    ///
    /// # async fn account_of(session: Option<&str>) -> Result<u64, actix_web::Error> { Ok(7) }
    /// let payload = LockPayload::from_async_fn(async |req| {
    ///     let account = account_of(req.header("cookie").as_deref()).await?;
    ///     Ok(Some((account, req.path().to_owned())))
    /// });
    /// let lock = ApiLock::builder_with_payload(MemoryStore::new(), payload).build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn from_async_fn<F, P>(payload: F) -> Self
    where
        F: AsyncFn(&RequestView<'_>) -> Result<Option<P>, Error> + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self(RequestFn::from_async_fn(payload, locked))
    }

    pub(super) async fn digest(&self, req: &RequestView<'_>) -> Result<Option<Fingerprint>, Error> {
        self.0.call(req).await
    }
}

fn locked<P: IntoPayload>(payload: Result<Option<P>, Error>) -> Result<Option<Fingerprint>, Error> {
    payload?.map(|payload| payload.digest()).transpose()
}

impl fmt::Debug for LockPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockPayload(closure)")
    }
}

/// A return value of a payload closure: any [`Serialize`] value.
///
/// Sealed: it exists only so that the compiler can explain what a closure must return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of an `ApiLock`",
    label = "the payload closure must return a value that implements `serde::Serialize`",
    note = "return `serde_json::json!({{ .. }})`, a string, a tuple, or a struct with `#[derive(serde::Serialize)]`",
    note = "a closure that can fail, or let requests run without a lock, returns `Result<Option<_>, actix_web::Error>` and goes to `ApiLock::builder_with_payload(store, LockPayload::fallible(..))`",
    note = "an `async` closure returns the same and goes to `LockPayload::from_async_fn`"
)]
pub trait IntoPayload: Sealed {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> IntoPayload for T {}

/// Keeps the trait closed, and what it does out of sight.
pub trait Sealed {
    fn digest(&self) -> Result<Fingerprint, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> Sealed for T {
    fn digest(&self) -> Result<Fingerprint, Error> {
        digest(self, "payload of an ApiLock")
    }
}
