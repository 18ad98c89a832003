//! A transaction for each request, opened and committed by a layer.
//!
//! A layer opens a transaction, handlers write into it, and the layer commits it when the response is a
//! success. Wrap [`Idempotency`](crate::Idempotency) **outside** of this layer. It records a response
//! when the service inside of it returns one, so inside of the layer it would record before the commit.
//!
//! ```
//! use actix_web::{
//!     App, Error, HttpMessage, HttpResponse, body::MessageBody,
//!     dev::{ServiceRequest, ServiceResponse}, error::ErrorServiceUnavailable,
//!     middleware::{Next, from_fn}, test, web,
//! };
//! use actix_web_idempotency::{ConfigError, Idempotency, MemoryStore, Scope};
//! use std::sync::{Arc, Mutex, atomic::{AtomicBool, Ordering}};
//!
//! /// Stands in for a database.
//! #[derive(Default)]
//! struct Database {
//!     rows: Mutex<Vec<&'static str>>,
//!     refuses_commits: AtomicBool,
//! }
//!
//! /// What a handler has written. Without a commit it is rolled back.
//! #[derive(Clone, Default)]
//! struct Transaction(Arc<Mutex<Vec<&'static str>>>);
//!
//! impl Database {
//!     async fn commit(&self, transaction: &Transaction) -> Result<(), Error> {
//!         if self.refuses_commits.load(Ordering::Relaxed) {
//!             return Err(ErrorServiceUnavailable("try again"));
//!         }
//!         self.rows.lock().unwrap().append(&mut transaction.0.lock().unwrap());
//!         Ok(())
//!     }
//! }
//!
//! async fn transaction(
//!     database: web::Data<Database>,
//!     req: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     let transaction = Transaction::default();
//!     req.extensions_mut().insert(transaction.clone());
//!     let response = next.call(req).await?;
//!     if response.status().is_success() {
//!         database.commit(&transaction).await?;
//!     }
//!     Ok(response)
//! }
//!
//! async fn pay(transaction: web::ReqData<Transaction>) -> HttpResponse {
//!     # STARTED.notify_one();
//!     # tokio::task::yield_now().await; // here the client may leave
//!     transaction.0.lock().unwrap().push("payment");
//!     HttpResponse::Created().finish()
//! }
//!
//! fn keys() -> Result<Idempotency, ConfigError> {
//!     Idempotency::builder(MemoryStore::new(), Scope::global()).build()
//! }
//! # use actix_web::{dev::Service, http::StatusCode};
//! # use futures_util::FutureExt;
//! # use std::time::Duration;
//! # static STARTED: tokio::sync::Notify = tokio::sync::Notify::const_new();
//! # /// The status of the response, and whether it is a replay.
//! # async fn send<B>(
//! #     app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
//! #     key: &'static str,
//! # ) -> (StatusCode, bool) {
//! #     let pay = test::TestRequest::post().insert_header(("idempotency-key", key));
//! #     match test::try_call_service(app, pay.to_request()).await {
//! #         Ok(response) => {
//! #             let is_replay = response.headers().contains_key("idempotent-replayed");
//! #             (response.status(), is_replay)
//! #         }
//! #         Err(err) => (err.as_response_error().status_code(), false),
//! #     }
//! # }
//! # /// The client leaves while the handler runs.
//! # async fn leave<B>(
//! #     app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
//! #     key: &'static str,
//! # ) {
//! #     while STARTED.notified().now_or_never().is_some() {} // those before
//! #     tokio::select! {
//! #         biased;
//! #         _ = send(app, key) => panic!("the handler was too fast"),
//! #         () = STARTED.notified() => {}
//! #     }
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let database = web::Data::new(Database::default());
//! let rows = || database.rows.lock().unwrap().len();
//! # const GENEROUS: Duration = Duration::from_secs(20);
//!
//! // Right: the commit comes before the record. `send` returns the status, and whether it is a replay.
//! let outside = keys()?;
//! let right = test::init_service(
//!     App::new()
//!         .app_data(database.clone())
//!         .wrap(from_fn(transaction))
//!         .wrap(outside.clone()) // the last wrap is the outermost
//!         .default_service(web::to(pay)),
//! )
//! .await;
//! database.refuses_commits.store(true, Ordering::Relaxed);
//! assert_eq!(send(&right, "a").await, (StatusCode::SERVICE_UNAVAILABLE, false));
//! database.refuses_commits.store(false, Ordering::Relaxed);
//! assert_eq!(send(&right, "a").await, (StatusCode::CREATED, false)); // the retry runs
//! assert_eq!(send(&right, "a").await, (StatusCode::CREATED, true));
//! assert_eq!(rows(), 1);
//! leave(&right, "b").await; // a client that leaves while its handler runs
//! # assert!(outside.drain(GENEROUS).await);
//! assert_eq!(send(&right, "b").await, (StatusCode::CREATED, true));
//! assert_eq!(rows(), 2);
//!
//! // Wrong: both retries get a success, and neither payment is in the database.
//! let inside = keys()?;
//! let wrong = test::init_service(
//!     App::new()
//!         .app_data(database.clone())
//!         .wrap(inside.clone())
//!         .wrap(from_fn(transaction))
//!         .default_service(web::to(pay)),
//! )
//! .await;
//! database.refuses_commits.store(true, Ordering::Relaxed);
//! assert_eq!(send(&wrong, "c").await, (StatusCode::SERVICE_UNAVAILABLE, false));
//! database.refuses_commits.store(false, Ordering::Relaxed);
//! assert_eq!(send(&wrong, "c").await, (StatusCode::CREATED, true));
//! leave(&wrong, "d").await;
//! # assert!(inside.drain(GENEROUS).await);
//! assert_eq!(send(&wrong, "d").await, (StatusCode::CREATED, true));
//! assert_eq!(rows(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What happens with the layer outside
//!
//! * **The commit fails.** The client gets the layer's error, but the record says 201. Each retry gets this 201
//!   until the retention ends, and no row was written.
//! * **The client disconnects** while the handler runs. actix drops the layer, and its transaction is rolled
//!   back. The handler runs to completion and its 201 is recorded. This needs no fault at all.
//!
//! # When the layer has to be outside
//!
//! Authentication that reads from the same transaction is the usual reason. Use two transactions:
//! authenticate outside of `Idempotency` in a short one of its own, and open the one that handlers write
//! to inside. Or commit in the handler, before it returns its response.
//!
//! # What is left
//!
//! A process that crashes after the commit and before the record leaves the row, and a retry runs again with
//! [`attempt`](crate::Claim::attempt) 2. A unique constraint on the key, [written in the same
//! transaction](super::recipes::payments#write-it-down), refuses it.
