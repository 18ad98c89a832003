//! [`ApiLock`], its settings, and what its payload is made of.

mod builder;
mod decision;
mod middleware;
mod payload;
mod settings;
mod shadow;

use std::{
    future::{Future, Ready, ready},
    sync::Arc,
    time::Duration,
};

use actix_service::{Service, Transform};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};

pub use self::{
    builder::ApiLockBuilder,
    payload::{IntoPayload, LockPayload},
};
use self::{middleware::ApiLockMiddleware, settings::LockSettings};
pub use crate::middleware::RequestBody;
use crate::{
    middleware::{RequestView, ResponseBody},
    runtime::stop_signal,
    store::Store,
};

/// Refuses a request with 409 while an equal one runs.
///
/// The application defines equality: a closure builds a *payload* from each request, and two requests with
/// equal payloads are duplicates. Name the caller in it, or two visitors who do the same thing at once lock
/// each other out.
///
/// ```
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use actix_web_idempotency::{ApiLock, MemoryStore};
/// use serde_json::json;
///
/// # #[actix_web::main]
/// # async fn main() -> std::io::Result<()> {
/// let lock = ApiLock::builder(MemoryStore::new(), |req| {
///     json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
/// })
/// .error_message("Your order is already being placed")
/// .build()?;
///
/// async fn order() -> HttpResponse {
///     actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
///     HttpResponse::Created().body("order 1")
/// }
/// let app = test::init_service(
///     App::new().wrap(lock).route("/orders", web::post().to(order)),
/// )
/// .await;
///
/// let order = || test::TestRequest::post().uri("/orders").set_payload("one tea").to_request();
/// let (first, second) = tokio::join!(
///     test::call_service(&app, order()),
///     test::call_service(&app, order()),
/// );
/// assert_eq!(first.status(), StatusCode::CREATED);
/// assert_eq!(second.status(), StatusCode::CONFLICT);
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
///
/// Of [the promise](crate::guide::promise#what-is-promised): one at a time, only its owner, never stuck, no unbounded
/// wait.
///
/// The lock ends with the response: its last byte is handed over, its body is dropped, the handler fails or panics,
/// the client resets the connection, the worker shuts down. A body in memory is not sent before the lock is free, so a
/// client that has its response never meets its own lock.
///
/// # Limitations
///
/// * It does not remember. Once the first response is complete, the same request runs again;
///   [`Idempotency`](crate::Idempotency) records responses.
/// * A TTL is not a fencing token. If a request runs longer than the [`ttl`](ApiLockBuilder::ttl), an equal one
///   can run beside it. If an effect must never happen twice, enforce it in your database too.
/// * On HTTP/1 a client that resets the connection ends its handler at the next `.await`. It cannot cancel
///   tasks that the handler has spawned; they go on without a lock.
///
/// # Where to wrap it
///
/// Innermost: inside authentication, so that strangers lock nothing and the payload can name the user; inside
/// `Compress`, `Cors` and `Logger`, so that those see its refusals. In actix the last `wrap` is the outermost,
/// so the lock is wrapped first. It works on an `App`, a scope, a resource and a route, and within `Condition`.
///
/// # Cost
///
/// Two calls to the store for a request that runs, one for a refused request; on Redis a `SET` and a script.
/// Nothing is spawned. The request's body is read first and kept while its handler runs.
#[derive(Clone, Debug)]
pub struct ApiLock {
    settings: Arc<LockSettings>,
}

impl ApiLock {
    /// Builds a lock with all defaults. The closure builds the payload of each request.
    pub fn new<F, P>(store: impl Store, payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self::builder(store, payload).build_unchecked()
    }

    /// Returns a builder. The closure builds the payload of each request.
    pub fn builder<F, P>(store: impl Store, payload: F) -> ApiLockBuilder
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self::builder_with_payload(store, LockPayload::from_fn(payload))
    }

    /// Returns a builder for a payload that can fail, let requests pass, or wait for something: see
    /// [`LockPayload`].
    pub fn builder_with_payload(store: impl Store, payload: LockPayload) -> ApiLockBuilder {
        ApiLockBuilder::new(store, payload)
    }

    fn with(settings: LockSettings) -> Self {
        Self {
            settings: Arc::new(settings),
        }
    }

    /// Waits until everything in progress now has ended: requests that hold a lock, and releases in the
    /// background. Returns `false` if `limit` passes first; the rest then ends by its time to live.
    ///
    /// For the end of `main`, after `run()`: it lets the locks of requests that were cut off be released.
    /// Before the server stops: [`drain_on`](Self::drain_on).
    pub async fn drain(&self, limit: Duration) -> bool {
        self.settings.claims.drain(limit).await
    }

    /// Waits for `signal`, and then until everything in progress has ended, for `limit` at most: a future
    /// for [`HttpServer::shutdown_signal`](actix_web::HttpServer::shutdown_signal).
    ///
    /// So requests that hold a lock end before the server begins to stop. It goes on accepting requests until
    /// this future ends; then actix' own [`shutdown_timeout`](actix_web::HttpServer::shutdown_timeout) begins.
    /// Logs a warning if `limit` passes first. Two guards drain one after the other:
    /// `lock.drain_on(idempotency.drain_on(signal, limit), limit)`.
    ///
    /// ```
    /// # use actix_web::{App, HttpServer};
    /// # use actix_web_idempotency::{ApiLock, MemoryStore};
    /// # use std::time::Duration;
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
    /// # let wrapped = lock.clone();
    /// # let signal = std::future::ready(());
    /// HttpServer::new(move || App::new().wrap(wrapped.clone()))
    ///     .shutdown_signal(lock.drain_on(signal, Duration::from_secs(10)))
    ///     .bind(("127.0.0.1", 0))?
    ///     .run()
    ///     .await?;
    /// lock.drain(Duration::from_secs(5)).await; // what was cut off
    /// # Ok(())
    /// # }
    /// ```
    pub fn drain_on<F>(
        &self,
        signal: F,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static + use<F>
    where
        F: Future + Send + 'static,
    {
        self.settings.claims.drain_on(signal, limit)
    }

    /// Waits like [`drain_on`](Self::drain_on), for the signals that ask a process to stop: `SIGTERM` and
    /// `SIGINT`, or Ctrl-C where there are no Unix signals.
    ///
    /// For the limits around it, see [an orderly stop](crate::guide::operation#an-orderly-stop).
    pub fn drain_on_stop(
        &self,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.drain_on(stop_signal(), limit)
    }
}

impl<S, B> Transform<S, ServiceRequest> for ApiLock
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = ApiLockMiddleware<S>;
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ApiLockMiddleware::new(
            service,
            Arc::clone(&self.settings),
        )))
    }
}
