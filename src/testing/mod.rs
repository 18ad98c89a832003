//! Tools for the tests of an application.
//!
//! Needs the feature `test-util`, which belongs into the dev-dependencies:
//!
//! ```toml
//! [dev-dependencies]
//! actix-web-idempotency = { version = "0.1", features = ["test-util"] }
//! ```
//!
//! # Testing your application
//!
//! **That it ran once.** [`Runs`], wrapped around the handler, counts; [`at_once`] sends equal requests at the
//! same time, [`in_turn`] one after the other, and [`Replies::assert_ran_once`] says what is wrong:
//!
//! ```
//! use std::time::Duration;
//!
//! use actix_web::{App, HttpResponse, test::{TestRequest, init_service}, web};
//! use actix_web_idempotency::{
//!     Idempotency, MemoryStore, Scope,
//!     testing::{Runs, at_once, in_turn},
//! };
//!
//! async fn pay() -> HttpResponse { // as it is in production
//!     tokio::time::sleep(Duration::from_millis(10)).await; // where the others come in
//!     HttpResponse::Created().finish()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runs = Runs::new();
//! let keys = Idempotency::new(MemoryStore::new(), Scope::global())?;
//! let app = App::new()
//!     .wrap(runs.clone()) // inside of the guard: the last wrap is the outermost
//!     .wrap(keys)
//!     .route("/payments", web::post().to(pay));
//! let app = init_service(app).await;
//! let request = || {
//!     let request = TestRequest::post().uri("/payments");
//!     request.insert_header(("idempotency-key", "a")).to_request()
//! };
//!
//! let replies = at_once(&app, 3, request).await;
//! replies.assert_ran_once(&runs);
//! assert_eq!(replies.statuses(), [201, 409, 409]);
//!
//! let again = in_turn(&app, 1, request).await;
//! again.assert_ran_once(&runs);
//! assert!(again[0].is_replay());
//! # Ok(())
//! # }
//! ```
//!
//! If it does not hold, the test fails in its own line:
//!
//! ```text
//! the handler ran 3 times, not once
//!   request 1: 201
//!   request 2: 201
//!   request 3: 201
//! ```
//!
//! Tests of one process run at the same time. If two of them have memory stores with the same
//! [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix), each store sees the other's and [reports
//! it](crate::event::IncidentKind::SecondStore); give them different prefixes if that is in the way.
//!
//! **What happens when the store fails.** [`FaultyStore`] fails as the test says, call by call, and counts its
//! calls. For instance a response that cannot be recorded at once, in paused time (tokio's feature
//! `test-util`):
//!
//! ```
//! use actix_web_idempotency::{
//!     Idempotency, MemoryStore, Scope,
//!     testing::{BackgroundHere, Call, Fault, FaultyStore, Runs, in_turn},
//! };
//! # use std::time::Duration;
//! # use actix_web::{App, HttpResponse, test::{TestRequest, init_service}, web};
//! # async fn pay(runs: web::Data<Runs>) -> HttpResponse {
//! #     HttpResponse::Created().body(format!("payment {}", runs.note()))
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! tokio::time::pause();
//! let _here = BackgroundHere::here(); // what goes on in the background follows the paused time
//! let store = FaultyStore::new(MemoryStore::new());
//! # let runs = Runs::new();
//! # let keys = Idempotency::new(store.clone(), Scope::global())?;
//! # let app = App::new()
//! #     .app_data(web::Data::new(runs.clone()))
//! #     .wrap(keys.clone())
//! #     .route("/payments", web::post().to(pay));
//! # let app = init_service(app).await;
//! # let request = || {
//! #     let request = TestRequest::post().uri("/payments");
//! #     request.insert_header(("idempotency-key", "a")).to_request()
//! # };
//!
//! store.always(Call::Complete, Fault::Unavailable);
//! let first = in_turn(&app, 2, request).await;
//! assert_eq!(first.statuses(), [201, 409]); // answered, not yet recorded, and not run again
//!
//! store.recover();
//! assert!(keys.drain(Duration::from_secs(60)).await);
//! let again = in_turn(&app, 1, request).await;
//! assert!(again[0].is_replay());
//! again.assert_ran_once(&runs);
//! # Ok(())
//! # }
//! ```
//!
//! | what you want to see | what the test says |
//! |---|---|
//! | an outage: 503, or requests that run unguarded | `away(Fault::Unavailable)`, then `recover()` |
//! | a claim that may or may not have been carried out | `next(Call::Begin, Fault::TimedOut { carried_out: true })` |
//! | a store that is slow | `always(call, Fault::Delayed(time))` |
//! | a process that is killed: what `on_expired_lease` decides | [`crash_owners()`](FaultyStore::crash_owners), then `tokio::time::advance(lease)` in paused time |
//! | a handler whose claim an operator takes away | `lose_claims()`, while it runs |
//! | a store that has lost its data: what your unique constraint must catch | `forget_everything()` |
//! | a request that must not reach the store | `assert_not_asked()`, `assert_calls(call, n)` |
//!
//! Leases and retentions of a [`MemoryStore`](crate::MemoryStore) end by tokio's clock, so
//! `tokio::time::pause` and `advance` reach them; those of Redis by the server's.
//!
//! **One app for `main` and tests.** A function that takes the guards and fills a `ServiceConfig` serves both,
//! without naming the type of an `App`:
//!
//! ```
//! use actix_web::{App, HttpResponse, test::init_service, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! # async fn pay() -> HttpResponse { HttpResponse::Created().finish() }
//! fn routes(config: &mut web::ServiceConfig, keys: &Idempotency) {
//!     config.service(web::resource("/payments").wrap(keys.clone()).post(pay));
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let keys = Idempotency::new(MemoryStore::new(), Scope::global())?;
//! let app = init_service(App::new().configure(|config| routes(config, &keys))).await;
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! There [`Runs::note`] counts in a stand-in of what the handler calls, for instance a bank.
//!
//! Test a custom store with [`store::conformance`](crate::store::conformance).

mod call;
mod fault;
mod faulty_store;
mod inspection;
mod replies;
mod reply;
mod runs;
mod script;
mod send;

pub use crate::runtime::background::BackgroundHere;

pub use self::{
    call::Call,
    fault::Fault,
    faulty_store::FaultyStore,
    replies::Replies,
    reply::Reply,
    runs::Runs,
    send::{at_once, in_turn},
};
