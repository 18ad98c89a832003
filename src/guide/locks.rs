//! [`ApiLock`](crate::ApiLock): around a whole `App`, and two of them on one request.
//!
//! # A lock around an App
//!
//! An [`ApiLock`](crate::ApiLock) guards every method but `OPTIONS`, so of two equal `GET`s at once the second
//! is refused. Around an `App` or a scope, name the methods that change something:
//!
//! ```
//! use actix_web::{App, HttpResponse, http::Method, test, web};
//! use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
//! use serde_json::json;
//!
//! async fn orders() -> HttpResponse {
//!     # tokio::task::yield_now().await; // where the second request comes in
//!     HttpResponse::Ok().finish()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let lock = || {
//!     ApiLock::builder(MemoryStore::new(), |req| {
//!         json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
//!     })
//! };
//! let app = App::new()
//!     .wrap(lock().methods([Method::POST]).build()?)
//!     .service(web::resource("/orders").get(orders).post(orders));
//! # let app = test::init_service(app).await;
//! # let all = App::new().wrap(lock().build()?).service(web::resource("/orders").to(orders));
//! # let all = test::init_service(all).await;
//! # macro_rules! twice { ($app:ident, $method:ident) => {{
//! #     let send = || test::call_service(&$app, test::TestRequest::$method().uri("/orders").to_request());
//! #     let (first, second) = tokio::join!(send(), send());
//! #     [first.status(), second.status()]
//! # }} }
//! assert_eq!(twice!(app, post), [200, 409]);
//! assert_eq!(twice!(app, get), [200, 200]);
//! assert_eq!(twice!(all, get), [200, 409]); // a lock without methods(..)
//! # Ok(())
//! # }
//! ```
//!
//! # Two locks on one request
//!
//! A transfer concerns two accounts, so it takes two locks. They cannot deadlock, because a lock never waits. A
//! request that has its first lock and not the second gets 409, and its first lock is free before the response
//! is sent.
//!
//! ```
//! use actix_web::{App, HttpResponse, test, web};
//! # use actix_web::{
//! #     Error, body::MessageBody, dev::{ServiceRequest, ServiceResponse}, http::StatusCode,
//! #     middleware::{Next, from_fn},
//! # };
//! use actix_web_idempotency::{ApiLock, ConfigError, MemoryStore, RequestView, api_lock::LockPayload};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Transfer {
//!     from: String,
//!     to: String,
//! }
//!
//! /// An account is locked under one name, whether it pays or is paid.
//! fn lock_of(store: &MemoryStore, account: fn(Transfer) -> String) -> Result<ApiLock, ConfigError> {
//!     let account = move |req: &RequestView<'_>| Ok(Some(("account", account(req.json()?))));
//!     ApiLock::builder_with_payload(store.clone(), LockPayload::fallible(account)).build()
//! }
//! # /// Goes on when two requests have their first lock.
//! # async fn both_have_one(
//! #     barrier: web::Data<tokio::sync::Barrier>,
//! #     req: ServiceRequest,
//! #     next: Next<impl MessageBody>,
//! # ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//! #     barrier.wait().await;
//! #     next.call(req).await
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let store = MemoryStore::new();
//! let payer = lock_of(&store, |transfer| transfer.from)?;
//! let payee = lock_of(&store, |transfer| transfer.to)?;
//! # let (inner, outer) = (payee.clone(), payer.clone());
//! let transfers = web::resource("/transfers").wrap(payee).wrap(payer);
//! # let transfers = transfers.post(HttpResponse::Created);
//! # let app = test::init_service(App::new().service(transfers)).await;
//! # let transfers = web::resource("/transfers")
//! #     .wrap(inner)
//! #     .wrap(from_fn(both_have_one))
//! #     .wrap(outer)
//! #     .post(HttpResponse::Created);
//! # let barrier = web::Data::new(tokio::sync::Barrier::new(2));
//! # let crossing = test::init_service(App::new().app_data(barrier).service(transfers)).await;
//! # let transfer = |from: &str, to: &str| {
//! #     let transfer = Transfer { from: from.to_owned(), to: to.to_owned() };
//! #     test::TestRequest::post().uri("/transfers").set_json(transfer).to_request()
//! # };
//!
//! // ann pays bob while bob pays ann. In `crossing` a layer between the locks waits until both requests
//! // have their first one.
//! let (one, other) = tokio::join!(
//!     test::call_service(&crossing, transfer("ann", "bob")),
//!     test::call_service(&crossing, transfer("bob", "ann")),
//! );
//! assert!([one.status(), other.status()].contains(&StatusCode::CONFLICT));
//! # drop((one, other));
//! // Both accounts are free.
//! let next = test::call_service(&app, transfer("ann", "bob")).await;
//! assert_eq!(next.status(), StatusCode::CREATED);
//! // Two locks with one stored key: the inner one lets the request pass.
//! let own = test::call_service(&app, transfer("ann", "ann")).await;
//! assert_eq!(own.status(), StatusCode::CREATED);
//! # Ok(())
//! # }
//! ```
//!
//! The price: both of two crossing requests can be refused. Let clients retry after a random delay.
