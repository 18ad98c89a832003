use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_service::{Service, Transform, forward_ready};
use actix_web::{
    Error,
    dev::{ServiceRequest, ServiceResponse},
};

/// Counts how often a handler ran. Clones count together: one is wrapped around the handler, the test has
/// another.
///
/// Wrapped inside of the guard it counts the requests that come through, so the handler stays as it is in
/// production:
///
/// ```
/// use actix_web::{App, HttpResponse, test::{TestRequest, init_service}, web};
/// use actix_web_idempotency::{Idempotency, MemoryStore, Scope, testing::{Runs, in_turn}};
///
/// async fn pay() -> HttpResponse { // the real one
///     HttpResponse::Created().finish()
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runs = Runs::new();
/// let keys = Idempotency::new(MemoryStore::new(), Scope::global())?;
/// let payments = web::resource("/payments")
///     .wrap(runs.clone()) // the inner one
///     .wrap(keys)
///     .route(web::post().to(pay));
/// let app = init_service(App::new().service(payments)).await;
/// let request = || {
///     let request = TestRequest::post().uri("/payments");
///     request.insert_header(("idempotency-key", "a")).to_request()
/// };
/// in_turn(&app, 3, request).await.assert_ran_once(&runs);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<AtomicUsize>);

impl Runs {
    /// Returns a counter at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Increments the counter and returns the new value, starting at 1. For a handler of the test's own, or
    /// for a stand-in of what the handler calls.
    pub fn note(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Returns the number of runs.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Asserts the number of runs.
    ///
    /// # Panics
    ///
    /// If there were more or fewer.
    #[track_caller]
    pub fn assert_count(&self, expected: usize) {
        let count = self.count();
        assert!(
            count == expected,
            "the handler ran {count} times, not {expected}"
        );
    }
}

impl<S, B> Transform<S, ServiceRequest> for Runs
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = RunsMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RunsMiddleware {
            service,
            runs: self.clone(),
        }))
    }
}

/// [`Runs`] around a service.
#[doc(hidden)]
#[derive(Debug)]
pub struct RunsMiddleware<S> {
    service: S,
    runs: Runs,
}

impl<S, B> Service<ServiceRequest> for RunsMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = S::Future;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> S::Future {
        self.runs.note();
        self.service.call(req)
    }
}
