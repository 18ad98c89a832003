//! Users who log in with [actix-session](https://docs.rs/actix-session) or
//! [actix-identity](https://docs.rs/actix-identity): their id as the scope.
//!
//! A [`Scope`](crate::Scope) sees the request's extensions. A layer of six lines between the session and
//! [`Idempotency`](crate::Idempotency) puts the user's id there.
//!
//! # actix-session
//!
//! ```
//! use actix_session::{Session, SessionExt, SessionMiddleware, storage::CookieSessionStore};
//! use actix_web::{
//!     App, Error, HttpMessage, HttpResponse, Result, body::MessageBody, cookie::Key,
//!     dev::{ServiceRequest, ServiceResponse}, http::{StatusCode, header::SET_COOKIE},
//!     middleware::{Next, from_fn}, test, web,
//! };
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! struct UserId(String);
//!
//! async fn user_of_session(
//!     req: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     if let Some(user) = req.get_session().get("user")? {
//!         req.extensions_mut().insert(UserId(user));
//!     }
//!     next.call(req).await
//! }
//!
//! async fn log_in(session: Session) -> Result<HttpResponse> {
//!     session.insert("user", "ann")?; // whose password was checked
//!     session.renew();
//!     Ok(HttpResponse::NoContent().finish())
//! }
//!
//! async fn order(session: Session) -> Result<HttpResponse> {
//!     session.insert("ordered", true)?;
//!     Ok(HttpResponse::Created().finish())
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scope = Scope::from_fn(|req| req.extensions().get::<UserId>().map(|user| user.0.clone()));
//! let idempotency = Idempotency::new(MemoryStore::new(), scope)?;
//! let app = test::init_service(
//!     App::new()
//!         .wrap(idempotency)
//!         .wrap(from_fn(user_of_session))
//!         .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::generate()))
//!         .route("/login", web::post().to(log_in))
//!         .route("/orders", web::post().to(order)),
//! )
//! .await;
//!
//! let log_in = async || {
//!     let request = test::TestRequest::post().uri("/login").to_request();
//!     let response = test::call_service(&app, request).await;
//!     response.response().cookies().next().unwrap().into_owned()
//! };
//! let order = || {
//!     test::TestRequest::post().uri("/orders").insert_header(("idempotency-key", "a-1"))
//! };
//! let (one, other) = (log_in().await, log_in().await);
//! assert_ne!(one.value(), other.value());
//!
//! let first = test::call_service(&app, order().cookie(one).to_request()).await;
//! assert_eq!(first.status(), StatusCode::CREATED);
//! // The retry comes in another session of the same user.
//! let retry = test::call_service(&app, order().cookie(other).to_request()).await;
//! assert_eq!(retry.headers().get("idempotent-replayed").unwrap(), "true");
//! // No user is logged in: 401 `scope-missing`.
//! let stranger = test::call_service(&app, order().to_request()).await;
//! assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
//!
//! // A replay changes no session.
//! assert!(first.headers().contains_key(SET_COOKIE));
//! assert!(!retry.headers().contains_key(SET_COOKIE));
//! # Ok(())
//! # }
//! ```
//!
//! # actix-identity
//!
//! The same with `get_identity`:
//!
//! ```
//! use actix_identity::{Identity, IdentityExt, IdentityMiddleware};
//! # use actix_session::{SessionMiddleware, storage::CookieSessionStore};
//! # use actix_web::{
//! #     App, Error, HttpMessage, HttpRequest, HttpResponse, Result, body::MessageBody, cookie::Key,
//! #     dev::{ServiceRequest, ServiceResponse}, http::StatusCode,
//! #     middleware::{Next, from_fn}, test, web,
//! # };
//! # use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//! # struct UserId(String);
//!
//! async fn user_of_identity(
//!     req: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     if let Ok(identity) = req.get_identity() {
//!         req.extensions_mut().insert(UserId(identity.id()?));
//!     }
//!     next.call(req).await
//! }
//! # async fn log_in(req: HttpRequest, user: web::Path<String>) -> Result<HttpResponse> {
//! #     Identity::login(&req.extensions(), user.into_inner())?;
//! #     Ok(HttpResponse::NoContent().finish())
//! # }
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let scope = Scope::from_fn(|req| req.extensions().get::<UserId>().map(|user| user.0.clone()));
//! # let idempotency = Idempotency::new(MemoryStore::new(), scope)?;
//!
//! let app = App::new()
//!     .wrap(idempotency)
//!     .wrap(from_fn(user_of_identity))
//!     .wrap(IdentityMiddleware::default())
//!     .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::generate()));
//! # let app = app
//! #     .route("/login/{user}", web::post().to(log_in))
//! #     .route("/orders", web::post().to(HttpResponse::Created));
//! # let app = test::init_service(app).await;
//! # let log_in = async |user: &str| {
//! #     let request = test::TestRequest::post().uri(&format!("/login/{user}")).to_request();
//! #     let response = test::call_service(&app, request).await;
//! #     response.response().cookies().next().unwrap().into_owned()
//! # };
//! # let order = || {
//! #     test::TestRequest::post().uri("/orders").insert_header(("idempotency-key", "a-1"))
//! # };
//! # let (ann, again, bob) = (log_in("ann").await, log_in("ann").await, log_in("bob").await);
//! # for (cookie, is_replay) in [(ann, false), (again, true), (bob, false)] {
//! #     let response = test::call_service(&app, order().cookie(cookie).to_request()).await;
//! #     assert_eq!(response.status(), StatusCode::CREATED);
//! #     assert_eq!(response.headers().contains_key("idempotent-replayed"), is_replay);
//! # }
//! # let stranger = test::call_service(&app, order().to_request()).await;
//! # assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//!
//! * Take the user's id, never the session's: each login has another session id, and a retry after it would run
//!   again.
//! * A replay runs no handler, so it changes no session, and has no `Set-Cookie`. State that an order must
//!   change belongs in your database.
