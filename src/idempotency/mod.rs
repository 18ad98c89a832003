//! [`Idempotency`], its settings, and what handlers use beside it.

mod builder;
mod claim;
#[cfg(feature = "sql")]
mod commit;
mod decision;
mod fingerprinting;
pub(crate) mod key;
mod key_source;
mod label;
mod middleware;
mod named_header;
mod passed;
pub(crate) mod prefer;
mod recording;
mod rendered_error;
mod replay;
mod response_view;
mod run;
mod run_to_end;
mod scope;
mod settings;
mod shadow;
mod transient;

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
    http::Method,
};

pub use self::{
    builder::IdempotencyBuilder,
    claim::Claim,
    fingerprinting::Fingerprinting,
    key::{IdempotencyKey, InvalidKey},
    key_source::KeySource,
    label::IntoLabel,
    recording::Recording,
    response_view::ResponseView,
    scope::Scope,
    transient::Transient,
};
use self::{middleware::IdempotencyMiddleware, scope::ScopeId, settings::IdempotencySettings};
pub use crate::claim::FencingError;
use crate::{
    config::{ConfigError, StoreFailure},
    middleware::ResponseBody,
    runtime::{log, stop_signal},
    store::{Store, StoreKey},
};

/// Runs a request with an `Idempotency-Key` once, and replays its response to retries.
///
/// ```
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
///
/// # #[actix_web::main]
/// # async fn main() -> std::io::Result<()> {
/// // Whose the keys are is the one thing that has to be said.
/// let scope = Scope::from_fn(|req| req.header("x-user").map(|user| user.into_owned()));
/// let idempotency = Idempotency::new(MemoryStore::new(), scope)?;
///
/// async fn pay() -> HttpResponse {
///     HttpResponse::Created().body(format!("payment {:?}", std::time::Instant::now()))
/// }
/// let app = test::init_service(
///     App::new().wrap(idempotency).route("/payments", web::post().to(pay)),
/// )
/// .await;
///
/// let pay = |amount: &'static str| {
///     test::TestRequest::post()
///         .uri("/payments")
///         .insert_header(("x-user", "ann"))
///         .insert_header(("idempotency-key", "a-1"))
///         .set_payload(amount)
///         .to_request()
/// };
/// let first = test::call_service(&app, pay("100")).await;
/// assert_eq!(first.status(), StatusCode::CREATED);
/// let again = test::call_service(&app, pay("100")).await;
/// assert_eq!(again.headers().get("idempotent-replayed").unwrap(), "true");
/// assert_eq!(test::read_body(again).await, test::read_body(first).await);
/// let other = test::call_service(&app, pay("999")).await;
/// assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
///
/// All of [the promise](crate::guide::promise#what-is-promised): one at a time, once, the same response, no other
/// caller's response, only its owner, never stuck, no unbounded wait, to the end.
///
/// Keys of different scopes never meet, and no byte that a client sends becomes part of a stored key. Another request
/// with the same key gets 422 `key-reused`, before anything else.
///
/// # Limitations
///
/// * **It cannot know how far a crashed process got.** After a crash, the default runs the next request
///   ([`ExpiredLease`](crate::ExpiredLease)). If an effect must not happen twice even then, [commit it together with
///   the response](crate::guide::exactly_once), as `examples/payments_postgres` does.
/// * **A lease is not a fencing token.** A handler that is suspended for longer than its lease may run beside
///   its successor. [`Claim::fencing_token`] tells them apart.
/// * **It is as consistent as its store.** After a failover, Redis has forgotten what it had not replicated.
/// * **It does not undo.** A handler that fails half way leaves what it has done, and the key is free for a
///   retry.
///
/// # Where to wrap it
///
/// Inside of authentication, so that the scope can name the user; inside of `Compress`, so that responses are
/// recorded uncompressed; inside of `Cors` and `Logger`, so that those see its responses. Outside of an
/// [`ApiLock`](crate::ApiLock), whose refusals it does not record. In actix the last `wrap` is the outermost. A
/// replay runs neither handler nor extractors, so authentication in an extractor is skipped for replays ([what
/// to do](crate::guide#replays-and-authentication)). The [guide](crate::guide) has more.
///
/// # Errors of inner layers
///
/// If an inner middleware returns an `Err`, as login guards and rate limiters do, the client gets the response
/// of that error, and it is recorded by the same rules as any other. The first time it goes on as an `Err` with
/// the same text and status; an outer layer that asks for its type (`as_error::<T>()`) no longer finds it,
/// because the error is rendered already. A replay is an `Ok`. So an outer `Logger`, `ErrorHandlers` or
/// `DefaultHeaders`, which do not see an `Err`, see the replay but not the first response.
///
/// # Cost
///
/// A request without a key, or with another method, passes untouched. A request that runs costs two calls to
/// the store, a claim and a completion; a replay costs one. On Redis a claim is one `SET`. A handler that takes
/// longer than a third of the lease costs a renewal now and then. Nothing is spawned per request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    settings: Arc<IdempotencySettings>,
}

impl Idempotency {
    /// Builds the middleware with all defaults, for keys of this scope.
    ///
    /// # Errors
    ///
    /// When the scope's header cannot be a header's name, or is the key's.
    pub fn new(store: impl Store, scope: Scope) -> Result<Self, ConfigError> {
        Self::builder(store, scope).build()
    }

    /// Returns a builder for keys of this scope.
    pub fn builder(store: impl Store, scope: Scope) -> IdempotencyBuilder {
        IdempotencyBuilder::new(store, scope)
    }

    /// Returns the stored key of an operation, for an operator who [inspects](crate::store::Inspect) the store.
    /// `scope` is `None` for a global or anonymous one.
    ///
    /// ```
    /// use actix_web::http::Method;
    /// use actix_web_idempotency::{Idempotency, MemoryStore, Scope, store::Inspect};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new();
    /// let idempotency = Idempotency::new(store.clone(), Scope::header("x-tenant"))?;
    /// let key = idempotency.stored_key(Some("acme"), &Method::POST, "/payments", &"a-1".parse()?);
    /// assert!(store.look_up(&key).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored_key(
        &self,
        scope: Option<&str>,
        method: &Method,
        path: &str,
        key: &IdempotencyKey,
    ) -> StoreKey {
        let scope = match scope {
            Some(name) => ScopeId::Named(name.as_bytes().into()),
            None => self.settings.scope.nameless(),
        };
        self.settings.store_key(&scope, method, path, key)
    }

    /// Waits until everything in progress now has ended: handlers, also those whose client has disconnected,
    /// and recordings and releases in the background. Returns `false` if `limit` passes first; the rest then
    /// ends by its lease.
    ///
    /// For the end of `main`, after `run()`: it lets recordings and releases of requests that were cut off
    /// complete. Before the server stops: [`drain_on`](Self::drain_on).
    pub async fn drain(&self, limit: Duration) -> bool {
        self.settings.claims.drain(limit).await
    }

    /// Waits for `signal`, and then until everything in progress has ended, for `limit` at most: a future
    /// for [`HttpServer::shutdown_signal`](actix_web::HttpServer::shutdown_signal).
    ///
    /// actix by itself waits for open connections only, so a handler whose client has disconnected would be cut
    /// off. The server goes on accepting requests until this future ends; then actix' own
    /// [`shutdown_timeout`](actix_web::HttpServer::shutdown_timeout) begins. Logs a warning if `limit` passes
    /// first. Two guards drain one after the other: `lock.drain_on(idempotency.drain_on(signal, limit),
    /// limit)`.
    ///
    /// ```
    /// # use actix_web::{App, HttpServer};
    /// # use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
    /// # use std::time::Duration;
    /// # #[actix_web::main]
    /// # async fn main() -> std::io::Result<()> {
    /// # let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
    /// # let wrapped = idempotency.clone();
    /// # let signal = std::future::ready(());
    /// HttpServer::new(move || App::new().wrap(wrapped.clone()))
    ///     .shutdown_signal(idempotency.drain_on(signal, Duration::from_secs(10)))
    ///     .bind(("127.0.0.1", 0))?
    ///     .run()
    ///     .await?;
    /// idempotency.drain(Duration::from_secs(5)).await; // what was cut off
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

impl IdempotencyBuilder {
    /// Builds the middleware.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or two contradict each other. The error names them with their values.
    pub fn build(self) -> Result<Idempotency, ConfigError> {
        let settings = self.checked()?;
        if settings.shadow {
            crate::middleware::shadow::announce("Idempotency");
        }
        if settings.store_failure == StoreFailure::FailOpen
            && settings.claims.completion().is_some()
        {
            log::warn!(
                "Idempotency fails open on a store that commits records with the application's rows: while the store \
                 cannot be asked, requests run without a claim, and duplicates commit their rows twice"
            );
        }
        Ok(Idempotency {
            settings: Arc::new(settings),
        })
    }
}

impl<S, B> Transform<S, ServiceRequest> for Idempotency
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = IdempotencyMiddleware<S>;
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(IdempotencyMiddleware::new(
            service,
            Arc::clone(&self.settings),
        )))
    }
}
