//! The duplicate-request lock.

mod builder;
mod decision;
mod middleware;
mod payload;
mod settings;
mod shadow;

use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use actix_service::{Service, Transform};
use actix_web::{
    Error,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};

pub use self::{
    builder::ApiLockBuilder,
    payload::{IntoPayload, LockPayload},
};
use self::{middleware::ApiLockMiddleware, settings::Settings};
pub use crate::middleware::RequestBody;
use crate::{
    middleware::{GuardedBody, RequestView},
    store::Store,
};

/// Refuses a request with 409 while an equal one is still running.
///
/// The application says what equal means: a closure builds a *payload* from each request, and
/// two requests with equal payloads are duplicates. Put into it who calls, or two visitors who
/// do the same thing at once lock each other out.
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
/// * Of equal requests that arrive while none of them runs, exactly one runs, however many
///   workers, processes and machines share the store.
/// * The lock ends with the response: its last byte handed over, its body dropped, an error, a
///   panic, a client that resets the connection, a worker that is shut down. A body in memory is
///   not sent before the lock is free, so a client that has its answer never meets its own lock.
/// * Only its owner releases a lock.
///
/// # What it does not do
///
/// * Nothing is kept about the answer. Once the first response is complete the same request runs
///   again: for answers that are remembered there is [`Idempotency`](crate::Idempotency).
/// * A lock with a TTL is not a fence. A request that runs longer than
///   [`ttl`](ApiLockBuilder::ttl) can be joined by an equal one. What must never happen twice
///   needs a unique constraint where it is written down.
/// * On HTTP/1 a client that resets the connection ends its handler at the next `.await`; work
///   that the handler has handed to another task goes on, unlocked.
///
/// # Where to wrap it
///
/// Innermost: inside authentication, so that strangers lock nothing and the payload can name the
/// user; inside `Compress`, `Cors` and `Logger`, so that those see its refusals. In actix the
/// last `wrap` is outermost, so it comes first. It works on an `App`, a scope, a resource and a
/// route, and within `Condition`.
///
/// # Cost
///
/// Two calls to the store for a request that runs, one for a refused one; on Redis a `SET` and a
/// script. Nothing is spawned. The request's body is read first and kept while its handler runs.
#[derive(Clone, Debug)]
pub struct ApiLock {
    settings: Arc<Settings>,
}

impl ApiLock {
    /// A lock with all defaults, by a closure that is asked for each request's payload.
    pub fn new<F, P>(store: impl Store, payload: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self::builder(store, payload).build_unchecked()
    }

    /// Settings for a lock, by a closure that is asked for each request's payload.
    pub fn builder<F, P>(store: impl Store, payload: F) -> ApiLockBuilder
    where
        F: Fn(&RequestView<'_>) -> P + Send + Sync + 'static,
        P: IntoPayload + 'static,
    {
        Self::builder_with_payload(store, LockPayload::from_fn(payload))
    }

    /// Settings for a lock whose payload comes from a closure that can fail, let requests pass, or has to
    /// wait for something: see [`LockPayload`].
    pub fn builder_with_payload(store: impl Store, payload: LockPayload) -> ApiLockBuilder {
        ApiLockBuilder::new(store, payload)
    }

    fn with(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
        }
    }

    /// Waits until everything that is in progress now has settled: requests that hold a lock,
    /// and releases that go on in the background. False when `limit` passed first; what is left
    /// then is ended by its TTL.
    ///
    /// It has two places. In `HttpServer::shutdown_signal` it lets requests end before the server
    /// stops; after `run()` it lets the locks of requests that were cut off be released before
    /// the process ends.
    ///
    /// ```
    /// # use actix_web::{App, HttpServer};
    /// # use actix_web_idempotency::{ApiLock, MemoryStore};
    /// # use std::time::Duration;
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
    /// # let stop = std::future::ready(());
    /// let (wrapped, draining) = (lock.clone(), lock.clone());
    /// HttpServer::new(move || App::new().wrap(wrapped.clone()))
    ///     .shutdown_signal(async move {
    ///         stop.await; // for instance actix_web::rt::signal::ctrl_c()
    ///         draining.drain(Duration::from_secs(5)).await;
    ///     })
    ///     .bind(("127.0.0.1", 0))?
    ///     .run()
    ///     .await?;
    /// lock.drain(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn drain(&self, limit: Duration) -> bool {
        self.settings.claims.drain(limit).await
    }
}

impl<S, B> Transform<S, ServiceRequest> for ApiLock
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<GuardedBody<B>, BoxBody>>;
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
