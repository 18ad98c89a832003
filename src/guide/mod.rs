//! How to use this crate well.
//!
//! | page | for whom |
//! |---|---|
//! | this one | who has [`Idempotency`](crate::Idempotency) running and decides: scope, crashes, recording, authentication, CORS, what to publish, what to watch |
//! | [`recipes`] | who has a task: [payments](recipes::payments), [webhooks](recipes::webhooks), [forms](recipes::forms), [a queue's consumer](recipes::queue), [a batch import](recipes::batch) |
//! | [`sessions`] | who logs users in with actix-session or actix-identity |
//! | [`transactions`] | who opens a database transaction for each request in a layer |
//! | [`middlewares`] | who wraps others too: the order, compression, limits of the body, the access log |
//! | [`locks`] | who wraps a lock around an `App`, or two locks around one handler |
//! | [`operation`] | who deploys it: a store chosen by configuration, an orderly stop |
//! | [`troubleshooting`] | who sees something odd: by symptom, with what to look at and what to do |
//! | [`rollout`] | who has an API with clients already: watch first, refuse later |
//! | [`memory`] | who runs on the memory store: how large it must be, and what it reports |
//! | [`redis`] | who runs it: settings, rights, connections, looking at a key |
//! | [`comparison`] | who has not decided: other libraries, constraints, queues, conditional requests, and when they serve better |
//! | [`upgrading`] | who comes from another library, or from one release to the next |
//! | [`promise`] | who must know exactly: what is promised, what breaks it, how that is known |
//! | [`problem`](crate::problem) | who writes a client: what a refusal looks like |
//!
//! # Choosing a scope
//!
//! Clients choose keys. Two of them can choose the same one, by accident (`1`, `order-7`) or to see
//! what another was answered. The [scope](crate::Scope) keeps them apart, which is why it has no
//! default.
//!
//! Most APIs know their caller by a token. The layer that verifies it puts the user's id into the
//! request's extensions, and the scope takes it from there:
//!
//! ```
//! use actix_web::{
//!     App, Error, HttpMessage, body::MessageBody, dev::{ServiceRequest, ServiceResponse},
//!     error::ErrorUnauthorized, http::header, middleware::{Next, from_fn},
//! };
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! struct UserId(String);
//!
//! async fn authenticate(
//!     req: ServiceRequest,
//!     next: Next<impl MessageBody>,
//! ) -> Result<ServiceResponse<impl MessageBody>, Error> {
//!     let token = req.headers().get(header::AUTHORIZATION);
//!     let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
//!     // Signature and expiry, by jsonwebtoken::decode for instance; the id is the claim `sub`.
//!     let user = token.and_then(verify).ok_or_else(|| ErrorUnauthorized("log in first"))?;
//!     req.extensions_mut().insert(UserId(user));
//!     next.call(req).await
//! }
//! # fn verify(token: &str) -> Option<String> {
//! #     token.split_once('.').map(|(user, _issued)| user.to_owned())
//! # }
//!
//! # #[actix_web::main]
//! # async fn main() -> std::io::Result<()> {
//! let scope = Scope::from_fn(|req| req.extensions().get::<UserId>().map(|user| user.0.clone()));
//! let idempotency = Idempotency::new(MemoryStore::new(), scope)?;
//! let app = App::new().wrap(idempotency).wrap(from_fn(authenticate)); // the last is the outermost
//! # let app = app.default_service(actix_web::web::to(actix_web::HttpResponse::Created));
//! # let app = actix_web::test::init_service(app).await;
//! # let request = |token: &str| {
//! #     let request = actix_web::test::TestRequest::post().insert_header(("idempotency-key", "a-1"));
//! #     request.insert_header((header::AUTHORIZATION, format!("Bearer {token}"))).to_request()
//! # };
//! # for (token, is_replay) in [("ann.1", false), ("ann.2", true), ("bob.1", false)] {
//! #     let response = actix_web::test::call_service(&app, request(token)).await;
//! #     assert_eq!(response.status(), 201);
//! #     assert_eq!(response.headers().contains_key("idempotent-replayed"), is_replay, "{token}");
//! # }
//! # let forged = actix_web::test::try_call_service(&app, request("forged")).await;
//! # assert_eq!(forged.err().unwrap().as_response_error().status_code(), 401);
//! # Ok(())
//! # }
//! ```
//!
//! | who calls | scope |
//! |---|---|
//! | users or tenants that a middleware authenticates | their id, as above; with actix-session and actix-identity: [sessions] |
//! | a gateway authenticates and names the tenant in a header that clients cannot set | `Scope::header("x-tenant-id")` |
//! | one client only, or keys that nobody chooses twice, such as a provider's webhook ids | `Scope::global()` |
//!
//! * **Take what stays the same between two tries.** A session or access token does not: when it is
//!   renewed between the first try and the retry, the retry is in another scope and runs a second
//!   time. Take the account that the token stands for.
//! * **Wrap authentication outside.** A scope that finds nobody answers 401; `.or_anonymous()` puts
//!   all those into one scope of their own, where they can meet each other's keys.
//! * Method and path are a part of the operation anyway: one key used on two paths is two operations.
//!
//! # Choosing a policy for crashes
//!
//! A process that is killed leaves a claim behind. Until its lease has lapsed (30 seconds) the key
//! is `in-flight`; then [`ExpiredLease`](crate::ExpiredLease) decides:
//!
//! * **`Reexecute`**, the default: the retry runs and is told by
//!   [`Claim::attempt`](crate::Claim::attempt) that it is not the first. Right when the work finds
//!   out by itself what has been done: a row with a unique constraint on the key
//!   (`examples/payments_postgres` in the repository shows it, with a fence), an upstream that takes
//!   an idempotency key of its own. Hand it on: the [key](crate::IdempotencyKey) is an extractor.
//! * **`Refuse`**: nobody runs, the answer is `outcome-unknown` until the retention has passed.
//!   Right when nothing can find out, a call to a bank without keys, say. Somebody has to look;
//!   [`Inspect::force_release`](crate::store::Inspect::force_release) lets it be tried again.
//!
//! And when the store is away, [`StoreFailure`](crate::StoreFailure): `FailClosed` (503, nothing
//! runs) or `FailOpen` (everything runs, repetitions too). Money wants the first; a newsletter
//! subscription can live with the second.
//!
//! # Choosing what is recorded
//!
//! By default every answer below 500 is recorded, except 401, 408, 425 and 429, which ask for
//! another try. A 400 or 404 is recorded too: the same request would fail the same way, and a
//! client that corrects it sends another request, which needs another key.
//!
//! * A failure that may pass: [`Transient`](crate::idempotency::Transient) marks a response or an error,
//!   [`mark_transient()`](crate::Claim::mark_transient) says so of the handler's, and so does a status of 500 and
//!   more. The key is free for a retry. [What is recorded](crate::Recording#what-is-recorded) lists the
//!   responses that are easily overlooked.
//! * A failure that is final: [`record_always()`](crate::Claim::record_always), whatever its status.
//! * An answer with secrets in it: [`omit_response()`](crate::Claim::omit_response). Repetitions learn that
//!   it was done, not what was answered.
//! * Large answers and streams: [`Recording::max_body`](crate::Recording::max_body). Beyond it the
//!   fact is remembered. Server-sent events pass as they come; what goes beyond the cap, or is cut
//!   off, is `response-not-stored` for repetitions. A `GET` that upgrades (websockets) is never guarded.
//! * Who can read the store can read the answers. Keep what it may not know out of it.
//!
//! # Replays and authentication
//!
//! **A replay runs nothing of what is inside**: neither the handler, nor its extractors, nor the
//! middlewares that [`Idempotency`](crate::Idempotency) is wrapped around. What they check they check
//! for the first request with a key, and for no other. Where the caller is authenticated
//!
//! * **in a middleware outside** ([the order](middlewares#order)), every replay needs credentials that are good at that
//!   moment, and the scope is made of what has been verified;
//! * **in an extractor, in the handler, or in a middleware inside**, a replay needs no credentials at
//!   all: the scope is then the only thing between a stolen or guessed key and the recorded answer.
//!   With `Scope::global()`, `.or_anonymous()`, or a header that clients can set, who knows a key and
//!   the request that went with it (with `Fingerprinting::off()` the key alone) is answered what
//!   another was answered.
//!
//! Where authentication cannot be moved outside, let the scope do it. Its closure is called for every
//! request with a key before the store is asked, and its error is the answer:
//!
//! ```
//! use actix_web::{Error, error::ErrorUnauthorized};
//! use actix_web_idempotency::{RequestView, Scope};
//!
//! # fn account_of(token: &str) -> Option<u64> { (token == "Bearer good").then_some(7) }
//! /// The same check as in the extractor: signature, expiry, revocation.
//! fn account(req: &RequestView<'_>) -> Result<u64, Error> {
//!     let token = req.header("authorization");
//!     let account = token.and_then(|token| account_of(&token));
//!     account.ok_or_else(|| ErrorUnauthorized("who are you?"))
//! }
//! let scope = Scope::from_fn(account); // without or_anonymous()
//! ```
//!
//! It must verify, not only read: the payload of a token whose signature nobody has checked, or a
//! user id from a header or the body, is what the caller likes it to be. And it must not be a token
//! itself, which changes between two tries.
//!
//! Permissions are another matter. A replay tells a caller what he was told before; whether he may
//! still do it, and see it, is asked again only by what is outside. Check there what can be revoked
//! within the retention, or keep the answer out with [`omit_response()`](crate::Claim::omit_response).
//!
//! # Hostile clients
//!
//! `tests/it/security` in the repository is a review: what an attacker would try, what holds against
//! it, and the test that shows it. What is left to the application:
//!
//! * **A rate limit, outside.** Each request with a new key takes a place in the store until its
//!   retention has passed. A full store forgets nothing and refuses everybody's new claims, so one
//!   caller without a limit can stop the others. The places of those who wait are shared, too.
//! * **What must not run twice against the caller's will** is what keys and locks are for. Who wants
//!   two runs sends two keys, and gets past an [`ApiLock`](crate::ApiLock) by any difference in what
//!   its payload is made of: another member, `%37` for `7` in a path. Against him only a constraint
//!   where the work is written down helps.
//! * **Overridden methods** (`X-HTTP-Method-Override`) are resolved outside, or not at all: inside,
//!   a `GET` would become a `POST` that nobody guards.
//! * Requests without a key run unguarded unless it is
//!   [`required`](crate::idempotency::IdempotencyBuilder::required).
//!
//! # CORS
//!
//! A browser sends and shows only what it is allowed to. [`cors`](crate::cors) has the names of this
//! crate's own headers; `content-type` and `location` are the application's:
//!
//! ```
//! use actix_cors::Cors;
//! use actix_web_idempotency::cors::{ALLOW_HEADERS, EXPOSE_HEADERS};
//!
//! let cors = Cors::default()
//!     .allowed_origin("https://shop.example")
//!     .allowed_methods(["POST", "PUT", "PATCH"])
//!     .allowed_headers(ALLOW_HEADERS.iter().copied())
//!     .allowed_header("content-type")
//!     .expose_headers(EXPOSE_HEADERS.iter().copied().chain(["location"]));
//! # drop(cors);
//! ```
//!
//! Preflights are `OPTIONS` and never guarded.
//!
//! # Publishing the expiry policy
//!
//! The [draft](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07)
//! asks a service to say how long it remembers keys, because after that the same key runs again.
//! Say so where the API is documented:
//!
//! > `POST /payments` requires an `Idempotency-Key` of 1 to 255 visible ASCII characters; a UUID
//! > serves. Keys belong to your account, and to method and path. A key and its answer are
//! > remembered for 24 hours after the answer. Within that time a repetition with the same body is
//! > answered with the same answer and `Idempotent-Replayed: true`; another body is answered with 422. While the first
//! > request runs, a repetition is answered with 409 and `Retry-After`. Requests without a key are
//! > answered with 400.
//!
//! and link the [problem types](crate::problem), or give them an address of your own with
//! [`Problems::base`](crate::problem::Problems::base).
//!
//! # OpenAPI
//!
//! `examples/openapi` in the repository says all this in an OpenAPI 3.1 document that utoipa makes:
//! the key as a header with its limits, `Idempotent-Replayed` on the answer, each refusal with its
//! problem types and its `Retry-After`, and the schema of a problem with the members that
//! `response-not-stored` adds. Its `problem.rs` and `refusal.rs` can be copied, and then every guarded
//! operation has one line more:
//!
//! ```text
//! #[utoipa::path(post, path = "/payments", params(..), responses((status = 201, ..), Refusal))]
//! ```
//!
//! A test validates the document, and what the running example answers against it.
//!
//! # What clients should do
//!
//! One key per operation, made before the first try and kept across all retries; backoff with
//! jitter; wait as long as `Retry-After` says; a 409 without `Retry-After` and a 422 are not
//! retried. `examples/client` in the repository does all of this.
//!
//! # Testing your application
//!
//! [`testing`](crate::testing) (feature `test-util`) has what a test needs to say "these requests ran
//! once", and a store that fails, delays and forgets when it is told to.
//!
//! # Watching it
//!
//! [`on_event`](crate::idempotency::IdempotencyBuilder::on_event) tells a closure of each request that was guarded
//! or refused, and of each incident in the background; [`event`](crate::event) has an example, and which
//! field answers which question. Worth an alert:
//!
//! | | why |
//! |---|---|
//! | [`Outcome::StoreError`](crate::event::Outcome), `Outcome::Unguarded` | requests are refused, or run without a guard |
//! | [`FinishOutcome::Lost`](crate::event::FinishOutcome), [`IncidentKind::LostLease`](crate::event::IncidentKind) | the same work may have been done twice |
//! | `IncidentKind::NotRecorded`, `NotReleased`, `Overloaded` | the store was away for too long |
//! | an [`attempt`](crate::event::RequestEvent::attempt) above 1, more often than processes are killed | handlers outlive their leases |
//! | many [`Outcome::Mismatch`](crate::event::Outcome) | a client uses keys twice |
//!
//! **Metrics.** With the feature `metrics`, `.on_event(metrics::observer("payments"))` counts all that
//! for Prometheus and others; install the recorder before the guards are built.
//! `examples/metrics/grafana` has a dashboard, and an alert for each line of the table.
//!
//! **Logs.** One line of the [`log`](https://docs.rs/log) facade for each notable outcome, with fields
//! (its `kv`; with `env_logger` its feature `kv`): `key` as it stands in the store, never as the
//! client sent it, `outcome`,
//! `problem`, `ending`, `attempt`, `left_ms`, `incident`, `error`, `shadow`; their values are the names of
//! [`event`](crate::event). What clients bring about is `debug`: replays, refusals, a duplicate in
//! flight with the time that its lease has left. Takeovers, tombstones and undone claims are `info`, what the store or
//! a handler does wrong is `warn` or `error`. With the feature `tracing` a line is an event of `tracing`, with the
//! same fields, wherever a subscriber listens, and stays a line of `log` where none does.
//!
//! **Traces.** With the feature `tracing` a handler that runs on without its client keeps the span of its
//! request, and events are told inside of it: [traces](crate::event#traces) has the recipe for
//! OpenTelemetry.
//!
//! # Outside of HTTP
//!
//! [`Deduplicator`](crate::dedup::Deduplicator) is the same for messages, timers and batches, with recipes for [a queue's
//! consumer](recipes::queue) and [a batch import](recipes::batch);
//! [`Inspect`](crate::store::Inspect) lets operators look up, list, release and delete on both
//! stores, [`Idempotency::stored_key`](crate::Idempotency::stored_key) tells where to look.

pub mod comparison;
#[doc = include_str!("../../DESIGN.md")]
pub mod design {}
pub mod locks;
pub mod memory;
pub mod middlewares;
pub mod operation;
pub mod promise;
pub mod recipes;
pub mod redis;
pub mod rollout;
pub mod sessions;
pub mod transactions;
pub mod troubleshooting;
pub mod upgrading;
