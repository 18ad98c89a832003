use std::{fmt, sync::Arc};

use actix_web::{Error, error::ErrorInternalServerError};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use crate::{
    runtime::log,
    {fingerprint::Fingerprint, middleware::RequestView},
};

/// What a payload closure returns: any [`Serialize`] value.
///
/// Implemented for all of them; it exists to say so when a closure returns something else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of an `ApiLock`",
    label = "the payload closure must return a value that implements `serde::Serialize`",
    note = "return `serde_json::json!({{ .. }})`, a string, a tuple, or a struct with `#[derive(serde::Serialize)]`",
    note = "a closure that can fail, or let requests pass unlocked, goes to `ApiLock::try_builder` and returns `Result<Option<_>, actix_web::Error>`",
    note = "an `async` closure goes to `ApiLock::async_builder` and returns the same"
)]
pub trait LockPayload {
    /// The digest of the value's canonical JSON.
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON.
    fn digest(&self) -> Result<Fingerprint, serde_json::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> LockPayload for T {
    fn digest(&self) -> Result<Fingerprint, serde_json::Error> {
        Fingerprint::of_value(self)
    }
}

/// `None` lets the request pass unlocked.
type Digest = Result<Option<Fingerprint>, Error>;
type Now = dyn Fn(&RequestView<'_>) -> Digest + Send + Sync;
type Later = dyn for<'a> Fn(&'a RequestView<'a>) -> LocalBoxFuture<'a, Digest> + Send + Sync;

/// The application's closure, its payload already digested.
#[derive(Clone)]
pub(super) enum PayloadFn {
    Now(Arc<Now>),
    Later(Arc<Later>),
}

impl PayloadFn {
    pub(super) fn plain<F, P>(payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: LockPayload,
    {
        Self::Now(Arc::new(move |req| digest(Some(payload(req)))))
    }

    pub(super) fn fallible<F, P>(payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> Result<Option<P>, Error> + Send + Sync + 'static,
        P: LockPayload,
    {
        Self::Now(Arc::new(move |req| digest(payload(req)?)))
    }

    pub(super) fn asynchronous<F, P>(payload: F) -> Self
    where
        F: AsyncFn(&RequestView<'_>) -> Result<Option<P>, Error> + Send + Sync + 'static,
        P: LockPayload,
    {
        let payload = Arc::new(payload);
        Self::Later(Arc::new(move |req| {
            let payload = Arc::clone(&payload);
            Box::pin(async move { digest(payload(req).await?) })
        }))
    }

    pub(super) async fn call(&self, req: &RequestView<'_>) -> Digest {
        match self {
            Self::Now(payload) => payload(req),
            Self::Later(payload) => payload(req).await,
        }
    }
}

fn digest<P: LockPayload>(payload: Option<P>) -> Digest {
    let digest = payload.map(|payload| payload.digest()).transpose();
    digest.map_err(|err| {
        // What the application's own `Serialize` says may repeat what a client has sent.
        let err = err.to_string();
        log::error!(
            "the payload of an ApiLock cannot be written as JSON: {}",
            err.escape_debug()
        );
        ErrorInternalServerError("")
    })
}

impl fmt::Debug for PayloadFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayloadFn")
    }
}
