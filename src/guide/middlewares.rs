//! Other middlewares: order, compression, body limits, access log.
//!
//! # Order
//!
//! In actix the last `wrap` is the outermost. From the inside out:
//!
//! ```
//! use actix_cors::Cors;
//! use actix_web::{App, middleware::{Compress, Logger, from_fn}};
//! # use actix_web::{Error, body::MessageBody, dev::{ServiceRequest, ServiceResponse}, middleware::Next};
//! use actix_web_idempotency::{ApiLock, Idempotency, MemoryStore, Scope};
//! # async fn authenticate(req: ServiceRequest, next: Next<impl MessageBody>)
//! #     -> Result<ServiceResponse<impl MessageBody>, Error> { next.call(req).await }
//! # let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
//! # let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
//!
//! let app = App::new()
//!     .wrap(lock) // its refusals are not recorded
//!     .wrap(idempotency) // sees the user, records uncompressed responses
//!     .wrap(from_fn(authenticate)) // a stranger neither claims nor replays
//!     .wrap(Compress::default()) // a replay is compressed for the client that asks
//!     .wrap(Cors::default()) // sees every response, and handles preflights itself
//!     .wrap(Logger::default()); // outermost
//! # drop(app);
//! # Ok::<_, actix_web_idempotency::ConfigError>(())
//! ```
//!
//! * A layer that commits a database transaction belongs inside of `Idempotency`:
//!   [transactions](super::transactions).
//! * Task-locals of outer middlewares (such as an entered tracing span) reach the handler as long as its client
//!   stays. When the client disconnects, the handler is moved into a task of its own and runs to completion
//!   without them; request extensions go along.
//! * After a panic of a handler the response is an `Err` with status 500 and without a body: the request was
//!   lost with the handler, so `Logger`, `ErrorHandlers` and `DefaultHeaders` do not see it.
//!
//! # Compression
//!
//! `Compress` encodes a response as its client accepts it. Wrap `Idempotency` inside of it:
//!
//! ```
//! use actix_web::{App, HttpResponse, http::header, middleware::{Compress, Condition}, test, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//! use std::time::Duration;
//!
//! const TEXT: &str = "a text that is long enough to be worth it";
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! for is_inside in [true, false] {
//!     let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
//!     let app = App::new()
//!         .wrap(Condition::new(!is_inside, Compress::default()))
//!         .wrap(idempotency.clone())
//!         .wrap(Condition::new(is_inside, Compress::default())) // choose this one
//!         .route("/orders", web::post().to(async || HttpResponse::Created().body(TEXT)));
//!     let app = test::init_service(app).await;
//!     let order = |accepts: &'static str| {
//!         test::TestRequest::post()
//!             .uri("/orders")
//!             .insert_header(("idempotency-key", "a-1"))
//!             .insert_header((header::ACCEPT_ENCODING, accepts))
//!             .to_request()
//!     };
//!
//!     let first = test::call_service(&app, order("gzip")).await;
//!     assert_eq!(first.headers().get(header::CONTENT_ENCODING).unwrap(), "gzip");
//!     // Inside, the response is recorded before its first byte is sent.
//!     assert_eq!(idempotency.drain(Duration::ZERO).await, is_inside);
//!     let gzip = test::read_body(first).await;
//!     # assert!(idempotency.drain(Duration::from_secs(20)).await);
//!
//!     // The retry accepts no compression.
//!     let retry = test::call_service(&app, order("identity")).await;
//!     assert_eq!(retry.headers().get("idempotent-replayed").unwrap(), "true");
//!     assert_eq!(retry.headers().contains_key(header::CONTENT_ENCODING), !is_inside);
//!     let body = test::read_body(retry).await;
//!     assert_eq!(body, if is_inside { TEXT.as_bytes() } else { &gzip });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | what differs | inside of `Compress` | outside of it |
//! |---|---|---|
//! | recorded | the plain body, before the first byte is sent | the compressed body, after the last byte was sent: a process that crashes in between leaves no record |
//! | a retry gets | what it accepts | what the original request accepted, readable or not |
//! | [`max_body`](crate::Recording::max_body) counts | plain bytes | compressed bytes |
//! | each replay | is compressed again | is not |
//!
//! Choose inside. Outside costs less memory and time, and is right only if all clients accept the same
//! encoding.
//!
//! # Limits of the body
//!
//! A guard reads the body before any extractor of the handler, and each has its own limit:
//!
//! | reader | setting | default | its 413 |
//! |---|---|--:|---|
//! | `Idempotency`, [`ApiLock`](crate::ApiLock) | [`max_body`](crate::idempotency::IdempotencyBuilder::max_body) | 2 MiB | [`payload-too-large`](crate::problem#payload-too-large); nothing is claimed |
//! | `web::Json` | `web::JsonConfig::limit` | 2 MiB | actix's text, **recorded** |
//! | `web::Bytes`, `String` | `web::PayloadConfig::limit` | 256 KiB | the same |
//! | `web::Form` | `web::FormConfig::limit` | 16 KiB | the same |
//!
//! The 413 of an extractor is a response of the handler. `Idempotency` records it, so retries get it for 24
//! hours, even after you have raised the limit. Set all limits to the same number; then the guard refuses:
//!
//! ```
//! use actix_web::{App, HttpResponse, http::header::CONTENT_TYPE, test, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! const LARGEST: usize = 512 * 1024;
//!
//! async fn order(_: web::Bytes) -> HttpResponse {
//!     HttpResponse::Created().finish()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let idempotency = Idempotency::builder(MemoryStore::new(), Scope::global());
//! let app = App::new()
//!     .app_data(web::JsonConfig::default().limit(LARGEST))
//!     .app_data(web::PayloadConfig::new(LARGEST))
//!     .app_data(web::FormConfig::default().limit(LARGEST))
//!     .wrap(idempotency.max_body(LARGEST).build()?)
//!     .route("/bytes", web::post().to(order));
//! # let app = app
//! #     .route("/json", web::post().to(async |_: web::Json<String>| HttpResponse::Created()))
//! #     .route("/form", web::post().to(async |_: web::Form<Pairs>| HttpResponse::Created()));
//! # let app = test::init_service(app).await;
//! # type Pairs = Vec<(String, String)>;
//! # /// A body of this length that the handler behind the path accepts.
//! # fn request(path: &str, length: usize) -> test::TestRequest {
//! #     let (media_type, body) = match path {
//! #         "/json" => ("application/json", format!("\"{}\"", "x".repeat(length - 2))),
//! #         "/form" => ("application/x-www-form-urlencoded", format!("x={}", "x".repeat(length - 2))),
//! #         _ => ("text/plain", "x".repeat(length)),
//! #     };
//! #     test::TestRequest::post()
//! #         .uri(path)
//! #         .insert_header(("idempotency-key", length.to_string()))
//! #         .insert_header((CONTENT_TYPE, media_type))
//! #         .set_payload(body)
//! # }
//! for path in ["/bytes", "/json", "/form"] {
//!     let fits = test::call_service(&app, request(path, LARGEST).to_request()).await;
//!     assert_eq!(fits.status(), 201);
//!     for _ in 0..2 { // nothing is recorded
//!         let refused = test::call_service(&app, request(path, LARGEST + 1).to_request()).await;
//!         assert_eq!(refused.status(), 413);
//!         assert_eq!(refused.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
//!         assert!(!refused.headers().contains_key("idempotent-replayed"));
//!     }
//! }
//! # // The defaults.
//! # let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
//! # let app = App::new()
//! #     .wrap(idempotency)
//! #     .route("/bytes", web::post().to(order))
//! #     .route("/json", web::post().to(async |_: web::Json<String>| HttpResponse::Created()))
//! #     .route("/form", web::post().to(async |_: web::Form<Pairs>| HttpResponse::Created()));
//! # let app = test::init_service(app).await;
//! # for (path, limit, is_ours) in [
//! #     ("/json", 2 * 1024 * 1024, true),
//! #     ("/bytes", 256 * 1024, false),
//! #     ("/form", 16 * 1024, false),
//! # ] {
//! #     let fits = test::call_service(&app, request(path, limit).to_request()).await;
//! #     assert_eq!(fits.status(), 201, "{path}");
//! #     for is_retry in [false, true] {
//! #         let refused = test::call_service(&app, request(path, limit + 1).to_request()).await;
//! #         assert_eq!(refused.status(), 413, "{path}");
//! #         let is_problem = refused.headers().get(CONTENT_TYPE).unwrap() == "application/problem+json";
//! #         assert_eq!(is_problem, is_ours, "{path}");
//! #         let is_replay = refused.headers().contains_key("idempotent-replayed");
//! #         assert_eq!(is_replay, is_retry && !is_ours, "{path}");
//! #     }
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # The access log
//!
//! `%{idempotent-replayed}o` in the format of `Logger` marks replays. Wrap `Logger` outside:
//!
//! ```
//! use actix_web::{App, HttpResponse, middleware::Logger, test, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//! # static LINES: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
//! # struct Lines;
//! # impl log::Log for Lines {
//! #     fn enabled(&self, metadata: &log::Metadata<'_>) -> bool { metadata.target() == "access" }
//! #     fn log(&self, record: &log::Record<'_>) {
//! #         if self.enabled(record.metadata()) {
//! #             LINES.lock().unwrap().push(record.args().to_string());
//! #         }
//! #     }
//! #     fn flush(&self) {}
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! # log::set_logger(&Lines).unwrap();
//! # log::set_max_level(log::LevelFilter::Info);
//! let idempotency = Idempotency::new(MemoryStore::new(), Scope::global())?;
//! let app = App::new()
//!     .wrap(idempotency)
//!     .wrap(Logger::new("%r %s %{idempotent-replayed}o").log_target("access"))
//!     .route("/orders", web::post().to(HttpResponse::Created));
//! # let app = test::init_service(app).await;
//! for _ in 0..2 {
//!     let order = test::TestRequest::post().uri("/orders").insert_header(("idempotency-key", "a-1"));
//!     test::call_and_read_body(&app, order.to_request()).await;
//! }
//! # let lines = LINES.lock().unwrap();
//! assert_eq!(*lines, ["POST /orders HTTP/1.1 201 -", "POST /orders HTTP/1.1 201 true"]);
//! # Ok(())
//! # }
//! ```
//!
//! `Logger` writes no line for a layer that returns an `Err`, as an authentication that refuses does, nor after
//! a panic. That is actix' behaviour, with or without a guard. To have a layer logged, return a response:
//! `Ok(req.into_response(HttpResponse::Unauthorized()).map_into_right_body())`.
//!
//! Do not log `%{idempotency-key}i`: with `Scope::global()`, a key and its request are enough to get the
//! recorded response.
