//! Webhooks: handle once what a provider delivers at least once.
//!
//! A provider that gets no 2xx in time delivers the event again, even if your handler has done its work and
//! only the response was lost. Each event has an id that all its deliveries share: that is the key.
//!
//! ```
//! use actix_web::{
//!     App, Error, HttpResponse, error::ErrorUnauthorized, http::StatusCode, test, web,
//! };
//! use actix_web_idempotency::{
//!     ConfigError, Fingerprinting, Idempotency, KeySource, MemoryStore, Recording, RequestView,
//!     Scope, store::Store,
//! };
//! use hmac::{Hmac, KeyInit, Mac};
//! use sha2::Sha256;
//! use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
//!
//! const SECRET: &[u8] = b"from the provider's settings";
//!
//! fn signature(body: &[u8]) -> Result<Hmac<Sha256>, Error> {
//!     let mac = Hmac::<Sha256>::new_from_slice(SECRET);
//!     mac.map(|mac| mac.chain_update(body)).map_err(|_| ErrorUnauthorized(""))
//! }
//!
//! fn bytes_of(digits: &str) -> Option<Vec<u8>> {
//!     let pairs = digits.as_bytes().chunks(2);
//!     pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
//! }
//!
//! /// The body is the provider's, as `X-Hub-Signature-256` says. Only then it has a scope.
//! fn provider(req: &RequestView<'_>) -> Result<&'static str, Error> {
//!     let header = req.header("x-hub-signature-256").unwrap_or_default();
//!     let sent = header.strip_prefix("sha256=").and_then(bytes_of).unwrap_or_default();
//!     let checked = signature(req.bytes())?.verify_slice(&sent);
//!     checked.map(|()| "github").map_err(|_| ErrorUnauthorized("this is not signed"))
//! }
//!
//! fn deliveries_on(store: impl Store) -> Result<Idempotency, ConfigError> {
//!     Idempotency::builder(store, Scope::from_fn(provider))
//!         .key(KeySource::header("x-github-delivery"))
//!         .required(true)
//!         .fingerprinting(Fingerprinting::off()) // the id says enough, the body is signed
//!         .recording(Recording::new().when(|response| response.status().is_success()))
//!         .retention(Duration::from_secs(7 * 24 * 3600)) // longer than it delivers again
//!         .build()
//! }
//!
//! async fn receive(runs: web::Data<AtomicU32>, _event: web::Bytes) -> HttpResponse {
//!     runs.fetch_add(1, Ordering::Relaxed); // note the payment, start the build
//!     HttpResponse::NoContent().finish()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runs = web::Data::new(AtomicU32::new(0));
//! let hook = web::resource("/hooks").wrap(deliveries_on(MemoryStore::new())?).post(receive);
//! let app = test::init_service(App::new().app_data(runs.clone()).service(hook)).await;
//!
//! let event = br#"{"action":"opened"}"#;
//! let digits: String = signature(event)?.finalize().into_bytes().iter()
//!     .map(|byte| format!("{byte:02x}"))
//!     .collect();
//! let delivery = |signature: String| {
//!     test::TestRequest::post()
//!         .uri("/hooks")
//!         .insert_header(("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"))
//!         .insert_header(("x-hub-signature-256", signature))
//!         .set_payload(event.as_slice())
//!         .to_request()
//! };
//! for _delivery in 1..=3 {
//!     let response = test::call_service(&app, delivery(format!("sha256={digits}"))).await;
//!     assert_eq!(response.status(), StatusCode::NO_CONTENT);
//! }
//! assert_eq!(runs.load(Ordering::Relaxed), 1);
//!
//! let forged = test::call_service(&app, delivery(format!("sha256={}", "00".repeat(32)))).await;
//! assert_eq!(forged.status(), StatusCode::UNAUTHORIZED); // no replay either
//! # Ok(())
//! # }
//! ```
//!
//! # Where the key is
//!
//! | provider | key |
//! |---|---|
//! | GitHub | `KeySource::header("x-github-delivery")`; [a redelivery has the same](https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks#use-the-x-github-delivery-header) |
//! | Stripe | the event's `id`, in the body: `KeySource::from_fn(\|req\| Ok(req.json::<Event>()?.id))` |
//! | [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) | `KeySource::header("webhook-id")` |
//!
//! With a key in the body, its closure runs before the scope's, so it reads a body that is not verified yet; it
//! only looks for the id, and nothing is claimed before the signature was checked.
//!
//! # What to choose, and why
//!
//! | setting | choice | why |
//! |---|---|---|
//! | signature | in the scope's closure, or in a middleware outside | a replay runs nothing inside. If only the handler checked it, a forged delivery would get the response of the true one |
//! | scope | one per provider, or per account at the provider | two providers may choose the same id |
//! | key | the provider's id, [`required`](crate::idempotency::IdempotencyBuilder::required) | a request without one is no delivery |
//! | fingerprint | off | the id identifies the event, and bodies may differ from one delivery to the next (such as a counter of tries); then each retry would get 422, and be tried again |
//! | recording | successes only | a 404 for an event that came too early would be replayed to every later try. What is not recorded frees the key, and the next delivery runs |
//! | retention | longer than the provider tries | three days at [Stripe](https://docs.stripe.com/webhooks) |
//! | in flight | the default, 409 | for the provider that is a failure, so it comes back later and gets the recorded response |
//! | `on_expired_lease` | the default | the next delivery is the remedy for a crash; an effect that must not be repeated needs a constraint |
//!
//! # Respond soon
//!
//! Providers wait 10 seconds or so. A slower handler runs to completion although its client has disconnected,
//! and the next delivery gets its response. Better: put the event into a queue, respond with 202, and [let a
//! consumer work](super::queue) under the same id. The middleware then guards the queue from duplicates, and
//! the consumer guards the work.
//!
//! # What can still go wrong
//!
//! * **Two events with one meaning.** Each has its own id, so both run. If a provider does that, take the id of
//!   the object and the kind of the event as the key.
//! * **Order.** An `updated` can come before its `created`. Keys do not order anything: compare a version or a
//!   time that the provider sends.
//! * **Old deliveries, sent again by an attacker.** A signature over a time, which you check, bounds for how
//!   long; the retention should be longer than that.
