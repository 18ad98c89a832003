//! The decisions that [`Idempotency`](crate::Idempotency) leaves to an application, and pages for each task.
//!
//! | page | when you need it |
//! |---|---|
//! | this page | `Idempotency` runs, and you decide: scope, crashes, recording, authentication, CORS, what to publish, what to watch |
//! | [`recipes`] | you have a task: [payments](recipes::payments), [webhooks](recipes::webhooks), [forms](recipes::forms), [a queue's consumer](recipes::queue), [a batch import](recipes::batch) |
//! | [`sessions`] | users log in with actix-session or actix-identity |
//! | [`exactly_once`] | your rows are in PostgreSQL or SQLite: record and rows in one transaction |
//! | [`transactions`] | a layer opens a database transaction for each request |
//! | [`middlewares`] | you wrap other middlewares: order, compression, body limits, access log |
//! | [`locks`] | you wrap a lock around an `App`, or two locks around one handler |
//! | [`operation`] | you deploy it: a store chosen by configuration, an orderly stop |
//! | [`troubleshooting`] | something looks odd: by symptom, with what to look at and what to do |
//! | [`rollout`] | the API has clients already: observe first, refuse later |
//! | [`memory`] | you run on the memory store: how large it must be, and what it reports |
//! | [`redis`] | you run on Redis: settings, rights, connections, looking at a key |
//! | [`postgres`] | you run on PostgreSQL: the table, connections, poolers, looking at a key |
//! | [`sqlite`] | you run on SQLite: one file, its writers, what it survives, its faults |
//! | [`comparison`] | you have not decided: other libraries, constraints, queues, conditional requests, and when they are better |
//! | [`upgrading`] | you come from another library, or from an earlier release |
//! | [`promise`] | you need to know exactly: each guarantee, what breaks it, how we know |
//! | [`problem`](crate::problem) | you write a client: what a refusal looks like |
//!
//! # Choosing a scope
//!
//! Clients choose keys. Two of them can choose the same one, by accident (`1`, `order-7`) or to see the other's
//! response. The [scope](crate::Scope) keeps them apart, which is why it has no default.
//!
//! Most APIs identify their caller by a token. The layer that verifies it puts the user's id into the request's
//! extensions, and the scope takes it from there:
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
//! | caller | scope |
//! |---|---|
//! | users or tenants that a middleware authenticates | their id, as above; with actix-session and actix-identity: [sessions] |
//! | a gateway authenticates and names the tenant in a header that clients cannot set | `Scope::header("x-tenant-id")` |
//! | one client only, or keys that are never chosen twice, such as a provider's webhook ids | `Scope::global()` |
//!
//! * **Take what stays the same between two tries.** A session or access token does not: if it is renewed
//!   between the first try and the retry, the retry is in another scope and runs a second time. Take the
//!   account that the token identifies.
//! * **Wrap authentication outside.** A request without a scope gets 401; `.or_anonymous()` puts all of them
//!   into one anonymous scope, where their keys can meet.
//! * Method and path are part of the operation anyway: one key used on two paths is two operations.
//!
//! # Choosing a policy for crashes
//!
//! A process that is killed leaves a claim behind. Until its lease has expired (30 seconds) the key is
//! `in-flight`; then [`ExpiredLease`](crate::ExpiredLease) decides:
//!
//! * **`Reexecute`**, the default: the retry runs, and [`Claim::attempt`](crate::Claim::attempt) says that it
//!   is not the first. Right if the work can find out what has been done: because its rows are committed [together
//!   with the response](exactly_once), by a row with a unique constraint on the key, or by an upstream
//!   that takes an idempotency key. Pass it on: the [key](crate::IdempotencyKey) is an extractor.
//! * **`Refuse`**: no request runs, and the response is `outcome-unknown` until the retention has passed. Right
//!   if nothing can find out, as with a call to a bank without keys. An operator has to look;
//!   [`Inspect::force_release`](crate::store::Inspect::force_release) lets it be tried again.
//!
//! While the store is away, [`StoreFailure`](crate::StoreFailure) decides: `FailClosed` (503, nothing runs) or
//! `FailOpen` (everything runs, duplicates too). Payments want the first; a newsletter subscription can live
//! with the second.
//!
//! # Choosing what is recorded
//!
//! By default every response below 500 is recorded, except 401, 408, 425 and 429, which ask for another try. A
//! 400 or 404 is recorded too: the same request would fail the same way, and a client that corrects it sends
//! another request, which needs another key.
//!
//! * A failure that may pass: [`Transient`](crate::idempotency::Transient) marks a response or an error, and
//!   [`mark_transient()`](crate::Claim::mark_transient) the handler's response, so that the key is free for a
//!   retry, as after a status of 500 and above. [What is recorded](crate::Recording#what-is-recorded) lists
//!   responses that are easily overlooked.
//! * A failure that is final: [`record_always()`](crate::Claim::record_always), whatever its status.
//! * A response with secrets: [`omit_response()`](crate::Claim::omit_response). Retries learn that the work is
//!   done, without the response.
//! * Large responses and streams: [`Recording::max_body`](crate::Recording::max_body). Server-sent events pass
//!   as they come; a stream that exceeds the cap or is cut off is `response-not-stored` for retries. A `GET`
//!   that upgrades (websockets) is never guarded.
//! * Access to the store is access to the responses.
//!
//! # Replays and authentication
//!
//! **A replay runs nothing inside of it**: neither the handler, nor its extractors, nor the middlewares that
//! [`Idempotency`](crate::Idempotency) is wrapped around. What they check, they check for the first request
//! with a key only. If the caller is authenticated
//!
//! * **in a middleware outside** ([the order](middlewares#order)), every replay needs credentials that are
//!   valid at that moment, and the scope is made of verified data;
//! * **in an extractor, in the handler, or in a middleware inside**, a replay needs no credentials at all: only
//!   the scope protects the recorded response from a stolen or guessed key. With `Scope::global()`,
//!   `.or_anonymous()`, or a header that clients can set, a client that knows a key and its request (with
//!   `Fingerprinting::off()` the key alone) gets another's response.
//!
//! If authentication cannot be moved outside, let the scope do it. Its closure is called for every request with
//! a key before the store is asked, and its error becomes the response:
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
//! It must verify, not only read: without a checked signature, the payload of a token is whatever the caller
//! likes, and so is a user id from a header or the body. And it must not return the token itself, which changes
//! between two tries.
//!
//! Permissions are another matter. A replay repeats what the caller got before; only layers outside check again
//! whether the caller may still do and see it. Check there what can be revoked within the retention, or keep
//! the response out with [`omit_response()`](crate::Claim::omit_response).
//!
//! # Hostile clients
//!
//! `tests/it/security` in the repository is a review: each attack, what holds against it, and the test that
//! shows it. This is left to the application:
//!
//! * **A rate limit, outside.** Each request with a new key takes an entry of the store until its retention has
//!   passed. A full store forgets nothing and refuses new claims of all callers, so one caller without a limit
//!   can stop the others. They share the slots for waiting duplicates, too.
//! * **A constraint against the caller's will.** Keys and locks protect callers from running twice by accident.
//!   A caller that wants two runs sends two keys, or gets past an [`ApiLock`](crate::ApiLock) by any difference
//!   in its payload: another member, `%37` for `7` in a path. Only a constraint in the database prevents that.
//! * **Overridden methods** (`X-HTTP-Method-Override`) are resolved outside, or not at all: inside, a `GET`
//!   would become a `POST` without a guard.
//! * Requests without a key run unguarded unless it is
//!   [`required`](crate::idempotency::IdempotencyBuilder::required).
//!
//! # CORS
//!
//! A browser sends and shows only headers that it is allowed to. [`cors`](crate::cors) has those of this crate;
//! `content-type` and `location` are the application's:
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
//! Preflights are `OPTIONS` requests, which are never guarded.
//!
//! # Publishing the expiry policy
//!
//! The [draft](https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07) asks a
//! service to publish how long it remembers keys, because after that the same key runs again. For instance:
//!
//! > `POST /payments` requires an `Idempotency-Key` of 1 to 255 visible ASCII characters, such as a UUID. Keys
//! > belong to your account, and to method and path. A key and its response are remembered for 24 hours after the
//! > response. Within that time a retry with the same body gets the same response and `Idempotent-Replayed:
//! > true`; another body gets 422. While the original request runs, a duplicate gets 409 and `Retry-After`.
//! > Requests without a key get 400.
//!
//! Link the [problem types](crate::problem), or give them another address with
//! [`Problems::base`](crate::problem::Problems::base).
//!
//! # OpenAPI
//!
//! `examples/openapi` in the repository describes all this in an OpenAPI 3.1 document made by utoipa: the key
//! as a header with its limits, `Idempotent-Replayed` on the response, each refusal with its problem types and
//! its `Retry-After`, and the schema of a problem with the members that `response-not-stored` adds. Copy its
//! `problem.rs` and `refusal.rs`; then every guarded operation has one line more:
//!
//! ```text
//! #[utoipa::path(post, path = "/payments", params(..), responses((status = 201, ..), Refusal))]
//! ```
//!
//! A test validates the document, and the responses of the running example against it.
//!
//! # What clients should do
//!
//! One key per operation, made before the first try and kept across all retries. Backoff with jitter, and at
//! least as long as `Retry-After` says. No retry after a 422, or a 409 without `Retry-After`. `examples/client`
//! in the repository does all of this.
//!
//! # Testing your application
//!
//! [`testing`](crate::testing) (feature `test-util`) asserts that equal requests ran once, and has a store that
//! fails, delays and forgets when a test says so.
//!
//! # Watching it
//!
//! [`on_event`](crate::idempotency::IdempotencyBuilder::on_event) sets a closure that receives each request
//! that was guarded or refused, and each incident in the background; [`event`](crate::event) has an example,
//! and which field answers which question. Worth an alert:
//!
//! | event | why |
//! |---|---|
//! | [`Outcome::StoreError`](crate::event::Outcome), `Outcome::Unguarded` | requests are refused, or run without a guard |
//! | [`FinishOutcome::Lost`](crate::event::FinishOutcome), [`IncidentKind::LostLease`](crate::event::IncidentKind) | the same work may have been done twice |
//! | `IncidentKind::NotRecorded`, `NotReleased`, `Overloaded` | the store was away for too long |
//! | an [`attempt`](crate::event::RequestEvent::attempt) above 1, more often than processes are killed | handlers outlive their leases |
//! | many [`Outcome::Mismatch`](crate::event::Outcome) | a client uses keys for two requests |
//! | `IncidentKind::CommitInDoubt` | the reply to `COMMIT` was lost: [the retry finds out](exactly_once#in-doubt) |
//! | `IncidentKind::CommitForgotten` | a handler succeeds [without `claim.commit`](exactly_once#the-handler) |
//!
//! **Metrics.** With the feature `metrics`, `.on_event(metrics::observer("payments"))` counts all this for
//! Prometheus and others; install the recorder before the guards are built. `examples/metrics/grafana` has a
//! dashboard, and an alert for each line of the table.
//!
//! **Logs.** One line of the [`log`](https://docs.rs/log) facade for each notable outcome, with fields (its
//! `kv`; with `env_logger` its feature `kv`): `key` as in the store, never as the client sent it, `outcome`,
//! `problem`, `ending`, `attempt`, `left_ms`, `incident`, `error`, `shadow`; their values are the names of
//! [`event`](crate::event). Outcomes that clients cause are `debug`: replays, refusals, a duplicate in flight
//! with what is left of the lease. Takeovers, tombstones and undone claims are `info`; faults of the store or a
//! handler are `warn` or `error`. With the feature `tracing` a line is an event of `tracing`, with the same
//! fields, if a subscriber listens, and a line of `log` otherwise.
//!
//! **Traces.** With the feature `tracing` a handler that outlives its client keeps the span of its request, and
//! events are reported inside of it: [traces](crate::event#traces) has the recipe for OpenTelemetry.
//!
//! # Outside of HTTP
//!
//! [`Deduplicator`](crate::dedup::Deduplicator) does the same for messages, timers and batches, with recipes
//! for [a queue's consumer](recipes::queue) and [a batch import](recipes::batch).
//! [`Inspect`](crate::store::Inspect) lets operators look up, list, release and delete keys;
//! [`Idempotency::stored_key`](crate::Idempotency::stored_key) says which.

pub mod comparison;
#[doc = include_str!("../../DESIGN.md")]
pub mod design {}
pub mod exactly_once;
pub mod locks;
pub mod memory;
pub mod middlewares;
pub mod operation;
pub mod postgres;
pub mod promise;
pub mod recipes;
pub mod redis;
pub mod rollout;
pub mod sessions;
pub mod sqlite;
pub mod transactions;
pub mod troubleshooting;
pub mod upgrading;
