//! Payments: charge once, however often the request comes.
//!
//! A client sends `POST /payments`, gets no response, and sends it again. The card is charged by an external
//! system, which no transaction of yours covers.
//!
//! ```
//! use actix_web::{App, HttpRequest, HttpResponse, Result, error, http::StatusCode, test, web};
//! use actix_web_idempotency::{
//!     Claim, ConfigError, Idempotency, IdempotencyKey, MemoryStore, Scope, store::Store,
//! };
//! use serde::{Deserialize, Serialize};
//! use std::{collections::HashMap, sync::Mutex, time::Duration};
//!
//! #[derive(Clone, Deserialize, Serialize)]
//! struct Payment {
//!     amount: u32,
//!     to: String,
//! }
//!
//! /// Stands in for a client of the provider: the same key gives the same charge.
//! #[derive(Default)]
//! struct Provider(Mutex<HashMap<String, usize>>);
//!
//! impl Provider {
//!     async fn charge(&self, key: String, _payment: &Payment) -> Result<usize> {
//!         let mut charges = self.0.lock().map_err(|_| error::ErrorBadGateway("no response"))?;
//!         let next = charges.len() + 1;
//!         Ok(*charges.entry(key).or_insert(next))
//!     }
//! }
//!
//! fn keys_on(store: impl Store) -> Result<Idempotency, ConfigError> {
//!     Idempotency::builder(store, Scope::header("x-account")) // set by a gateway
//!         .required(true)
//!         .retention(Duration::from_secs(3 * 24 * 3600)) // longer than clients retry
//!         // .on_expired_lease(ExpiredLease::Refuse), for a provider that takes no key of its own
//!         .build()
//! }
//!
//! async fn pay(
//!     req: HttpRequest,
//!     key: IdempotencyKey,
//!     claim: Claim,
//!     payment: web::Json<Payment>,
//!     provider: web::Data<Provider>,
//! ) -> Result<HttpResponse> {
//!     let account = req.headers().get("x-account").and_then(|value| value.to_str().ok());
//!     let account = account.ok_or_else(|| error::ErrorUnauthorized("whose money?"))?;
//!     claim.fencing_token().await?; // an owner that was suspended for longer than its lease stops here
//!     // All our accounts are one customer of the provider, so the account belongs into the key.
//!     let id = provider.charge(format!("{account}/{}", key.as_str()), &payment).await?;
//!     Ok(HttpResponse::Created().json(serde_json::json!({ "id": id, "paid": payment.0 })))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let provider = web::Data::new(Provider::default());
//! let app = async |keys| {
//!     let payments = web::resource("/payments").wrap(keys).post(pay);
//!     test::init_service(App::new().app_data(provider.clone()).service(payments)).await
//! };
//! let request = |account: &'static str| {
//!     test::TestRequest::post()
//!         .uri("/payments")
//!         .insert_header(("x-account", account))
//!         .insert_header(("idempotency-key", "7d0c"))
//!         .set_json(Payment { amount: 5, to: "bob".to_owned() })
//!         .to_request()
//! };
//!
//! let one = app(keys_on(MemoryStore::new())?).await;
//! let first = test::call_service(&one, request("ann")).await;
//! assert_eq!(first.status(), StatusCode::CREATED);
//! let again = test::call_service(&one, request("ann")).await;
//! assert_eq!(again.headers().get("idempotent-replayed").unwrap(), "true");
//!
//! // A store that has lost everything: the handler runs again, and the provider knows the key.
//! let other = app(keys_on(MemoryStore::new())?).await;
//! let again = test::call_service(&other, request("ann")).await;
//! assert_eq!(test::read_body(again).await, test::read_body(first).await);
//!
//! // Another account with the same key is another payment.
//! let carl = test::call_service(&other, request("carl")).await;
//! assert!(test::read_body(carl).await.starts_with(br#"{"id":2"#));
//! # Ok(())
//! # }
//! ```
//!
//! # What to choose, and why
//!
//! | setting | choice | why |
//! |---|---|---|
//! | scope | the account that pays | a token changes between two tries, and then the retry pays again |
//! | key | the header, [`required`](crate::idempotency::IdempotencyBuilder::required) | without it a retry looks like a second payment |
//! | fingerprint | the default | a key that comes back with another amount is a bug of the client, which gets 422 |
//! | [`on_expired_lease`](crate::idempotency::IdempotencyBuilder::on_expired_lease) | the default, `Reexecute`, if the provider takes a key, as here, or a unique constraint detects the second run; otherwise [`Refuse`](crate::ExpiredLease::Refuse) | it is unknown whether a crashed process had charged the card. A retry is harmless if that is detected, and must not run otherwise |
//! | lease | the default, 30 s; shorter if clients return sooner | a key is blocked that long after a crash; the lease is renewed while the handler runs, so a slow provider is no reason for a longer one |
//! | recording | the default | a 402 is recorded too: call [`mark_transient`](crate::Claim::mark_transient) if the same key may try again when there is money |
//! | retention | longer than clients retry | after it the same key pays again. The provider forgets as well: [Stripe](https://docs.stripe.com/api/idempotent_requests) may forget a key that is 24 hours old |
//! | store | Redis, with the settings that [`check`](crate::RedisStore::check) recommends | a second process has to know what the first one did |
//!
//! # Hand the key on
//!
//! Only the provider can know whether the card was charged. Give it a key that is made of the same things as
//! yours: the account and the client's key. Not a fresh one per try, and not the client's key alone, which
//! another of your clients may choose as well. If both together are too long, take the digest:
//! `Fingerprint::digest_json(&(account, key.as_str()))`.
//!
//! # Write it down
//!
//! If a payment is a row of your own PostgreSQL, keep the keys there as well, and commit both in one transaction:
//! [exactly once](super::super::exactly_once). `examples/payments_postgres` in the repository does that, in under 100
//! lines, and is killed at every message that it sends.
//!
//! With keys on Redis, the row is the better record: `UNIQUE (account, idempotency_key)`, written in the transaction
//! that moves the money, with the [fencing token](crate::Claim::fencing_token) in the row, so that an owner that was
//! suspended for longer than its lease does not pay what its successor was refused. The middleware then saves work and
//! gives the same response; the constraint saves the money. If a layer opens and commits the transaction, wrap it inside
//! of `Idempotency`: [transactions](super::super::transactions).
//!
//! # What can still go wrong
//!
//! * **The provider responds with 500, or not at all.** The handler's error frees the key, and the retry asks
//!   the provider again, with the same provider key. Without such a key respond with what you know: a recorded
//!   202 with a `Location`, and find out in the background.
//! * **The process crashes** after the charge and before the response. `Reexecute`: the retry runs,
//!   [`attempt`](crate::Claim::attempt) is 2, and the provider responds as before. `Refuse`: the client gets
//!   [`outcome-unknown`](crate::problem#outcome-unknown), and a person has to look.
//! * **Redis fails over** and forgets. The retry runs as if it were the first; only the provider's key, or the
//!   constraint, is left.
//! * **Two keys for one payment.** If a client makes a new key for each try, these are two payments for
//!   everything in this chain.
