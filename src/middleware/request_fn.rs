use std::sync::Arc;

use actix_web::{Error, error::ErrorInternalServerError};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use super::RequestView;
use crate::{fingerprint::Fingerprint, runtime::log};

type Plain<T> = dyn Fn(&RequestView<'_>) -> Result<T, Error> + Send + Sync;
type Async<T> =
    dyn for<'a> Fn(&'a RequestView<'a>) -> LocalBoxFuture<'a, Result<T, Error>> + Send + Sync;

/// A closure of the application that finds something in a request, or fails with the response to it.
pub(crate) enum RequestFn<T> {
    Plain(Arc<Plain<T>>),
    /// Its future is boxed, which costs an allocation per request.
    Async(Arc<Async<T>>),
}

impl<T: 'static> RequestFn<T> {
    /// A closure whose output is converted where it is called, so that it need not be named here.
    pub(crate) fn from_fn<O: 'static>(
        find: impl Fn(&RequestView<'_>) -> O + Send + Sync + 'static,
        convert: fn(O) -> Result<T, Error>,
    ) -> Self {
        Self::Plain(Arc::new(move |req| convert(find(req))))
    }

    pub(crate) fn from_async_fn<O: 'static>(
        find: impl AsyncFn(&RequestView<'_>) -> O + Send + Sync + 'static,
        convert: fn(O) -> Result<T, Error>,
    ) -> Self {
        let find = Arc::new(find);
        Self::Async(Arc::new(move |req| {
            let find = Arc::clone(&find);
            Box::pin(async move { convert(find(req).await) })
        }))
    }

    pub(crate) async fn call(&self, req: &RequestView<'_>) -> Result<T, Error> {
        match self {
            Self::Plain(find) => find(req),
            Self::Async(find) => find(req).await,
        }
    }
}

impl<T> Clone for RequestFn<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Plain(find) => Self::Plain(Arc::clone(find)),
            Self::Async(find) => Self::Async(Arc::clone(find)),
        }
    }
}

/// The digest of what a closure made of a request. `what` names it in the log.
pub(crate) fn digest(value: &impl Serialize, what: &'static str) -> Result<Fingerprint, Error> {
    Fingerprint::digest_json(value).map_err(|err| {
        // What the application's own `Serialize` says may repeat what a client has sent.
        let err = err.to_string();
        log::error!(
            "the {what} cannot be written as JSON: {}",
            err.escape_debug()
        );
        ErrorInternalServerError("")
    })
}
