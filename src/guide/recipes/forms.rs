//! Forms that are sent twice: a double click, a reload, the back button.
//!
//! A browser sends a form once per click and shows the response to the last. It adds no header, so the key is
//! in the page: a hidden field with a token, new for each page that is shown.
//!
//! ```
//! use actix_web::{App, HttpResponse, http::{StatusCode, header}, test, web};
//! use actix_web_idempotency::{
//!     ConfigError, Idempotency, InFlight, KeySource, MemoryStore, Recording, RequestView, Scope,
//!     store::Store,
//! };
//! use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
//!
//! /// `<input type="hidden" name="token" value="..">`, a UUID made when the page is shown.
//! fn token(req: &RequestView<'_>) -> Option<String> {
//!     form_urlencoded::parse(req.bytes())
//!         .find(|(name, _)| name == "token")
//!         .map(|(_, token)| token.into_owned())
//! }
//!
//! fn forms_on(store: impl Store) -> Result<Idempotency, ConfigError> {
//!     // The user of the session; here a header that an outer layer sets.
//!     let scope = Scope::from_fn(|req| req.header("x-user").map(|user| user.into_owned()));
//!     Idempotency::builder(store, scope)
//!         .key(KeySource::from_fn(token))
//!         .required(true)
//!         .on_in_flight(InFlight::Wait(Duration::from_secs(10).into()))
//!         .recording(Recording::new().when(|response| response.status().is_redirection()))
//!         .build()
//! }
//!
//! async fn order(orders: web::Data<AtomicU32>) -> HttpResponse {
//!     actix_web::rt::time::sleep(Duration::from_millis(20)).await; // where the second click comes in
//!     let id = orders.fetch_add(1, Ordering::Relaxed) + 1;
//!     HttpResponse::SeeOther()
//!         .insert_header((header::LOCATION, format!("/orders/{id}")))
//!         .finish()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let orders = web::Data::new(AtomicU32::new(0));
//! let form = web::resource("/orders").wrap(forms_on(MemoryStore::new())?).post(order);
//! let app = test::init_service(App::new().app_data(orders.clone()).service(form)).await;
//! let click = || {
//!     test::TestRequest::post()
//!         .uri("/orders")
//!         .insert_header(("x-user", "ann"))
//!         .set_form([("token", "0b9f"), ("item", "tea")])
//!         .to_request()
//! };
//!
//! let (first, second) =
//!     tokio::join!(test::call_service(&app, click()), test::call_service(&app, click()));
//! for response in [first, second] {
//!     assert_eq!(response.status(), StatusCode::SEE_OTHER);
//!     assert_eq!(response.headers().get(header::LOCATION).unwrap(), "/orders/1");
//! }
//! assert_eq!(orders.load(Ordering::Relaxed), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # What to choose, and why
//!
//! | setting | choice | why |
//! |---|---|---|
//! | key | the token, by a closure that sees the body | a browser adds no header to a form |
//! | scope | the user, not the session's id, if it changes at login | somebody else's token is then useless |
//! | in flight | [`Wait`](crate::InFlight::Wait) | the browser drops the response to the first click and shows the second: that has to be the order, not a 409 |
//! | recording | redirects only | a form that comes back with "the address is missing" is corrected and sent again with the same token. A response that is not recorded frees the key for that |
//! | fingerprint | the default | two different orders under one token get 422; see below for the back button |
//! | response | 303 to what was created | a reload then repeats a `GET` |
//!
//! Create the token when the page is shown (`uuid::Uuid::new_v4()`), once per form. It needs no memory on the
//! server, and does not protect against forged requests; a CSRF token is another field with another purpose.
//! Messages for the next page in a `Set-Cookie` are not replayed.
//!
//! With JavaScript the same token can go into the header `Idempotency-Key`, and the default
//! [`KeySource`](crate::KeySource) finds it.
//!
//! # Without a token
//!
//! If pages cannot be changed, a lock by user and content refuses the second click while the first one runs:
//!
//! ```
//! use actix_web::{HttpResponse, error::ErrorUnauthorized, http::header::ContentType};
//! use actix_web_idempotency::{
//!     ApiLock, Fingerprint, MemoryStore,
//!     api_lock::LockPayload,
//!     problem::{ProblemKind, Problems},
//! };
//!
//! let payload = LockPayload::fallible(|req| {
//!     let user = req.header("x-user").ok_or_else(|| ErrorUnauthorized("log in first"))?;
//!     let content = Fingerprint::digest(req.bytes());
//!     Ok(Some((user.into_owned(), req.path().to_owned(), content)))
//! });
//! let problems = Problems::new().render(|problem| match problem.kind() {
//!     ProblemKind::Busy => HttpResponse::Conflict()
//!         .content_type(ContentType::html())
//!         .body("<p>Your order is being placed. <a href='/orders'>See your orders</a>.</p>"),
//!     _ => problem.to_response(),
//! });
//! let lock = ApiLock::builder_with_payload(MemoryStore::new(), payload)
//!     .problems(problems)
//!     .build()?;
//! # drop(lock);
//! # Ok::<_, actix_web_idempotency::ConfigError>(())
//! ```
//!
//! | what happens | a token and `Idempotency` | `ApiLock` |
//! |---|---|---|
//! | the page | has a hidden field | stays as it is |
//! | second click while the first runs | waits, sees the order | sees "is being placed" |
//! | reload or back button afterwards | sees the same order | orders again |
//! | two equal orders, wanted | two pages, two tokens | one after the other |
//!
//! # What can still go wrong
//!
//! * **The back button shows the old page** with its old token. Sent again unchanged it leads to the order that
//!   exists. Sent with another item it gets 422 `key-reused`: explain in
//!   [`problems`](crate::idempotency::IdempotencyBuilder::problems) that this form has been used, with a link
//!   to a new one, or let browsers fetch the page anew (`Cache-Control: no-store`).
//! * **A page in a cache** gives many visitors one token. Scopes keep users apart; one user's second order
//!   would get the response of the first.
//! * **An upload** in the form is read whole before the handler runs, up to
//!   [`max_body`](crate::idempotency::IdempotencyBuilder::max_body), and `multipart/form-data` has another
//!   format than the closure above reads. Send files on their own.
