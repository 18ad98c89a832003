//! Middleware for [actix-web](actix_web) 4, for requests that must not run twice.
//!
//! A user clicks "Pay" twice, a mobile client times out and retries, a proxy repeats a `POST`.
//!
//! * [`Idempotency`]: with an `Idempotency-Key` the first request runs and its answer is recorded;
//!   repetitions get the same answer, wait for it, or are told why not.
//! * [`ApiLock`]: while a request runs, an equal one is refused with 409. Clients need to know
//!   nothing of it, and nothing is remembered.
//! * [`Deduplicator`](dedup::Deduplicator): the same as the first, for work that does not come by HTTP.
//!
//! On one process with the embedded [`MemoryStore`], on many with [`RedisStore`].
//!
//! | read | for |
//! |---|---|
//! | the [guide] | decisions: scope, crashes, what is recorded, authentication, CORS; [sessions](guide::sessions), [transactions](guide::transactions), [other middlewares](guide::middlewares), [locks](guide::locks), [an orderly stop](guide::operation#an-orderly-stop) |
//! | [recipes](guide::recipes) | payments, webhooks, forms that are sent twice, a queue's consumer, a batch import |
//! | [troubleshooting](guide::troubleshooting) | "I get 409 for ever", "nothing is ever replayed", and what else looks odd |
//! | [Redis in production](guide::redis), [comparison](guide::comparison), [upgrading](guide::upgrading) | running it, choosing it, staying with it |
//! | [design](guide::design) | [what it costs](guide::design#what-it-costs), and why it is built so |
//!
//! # Idempotency
//!
//! ```
//! use actix_web::{App, HttpResponse, HttpServer, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! # fn main() -> std::io::Result<()> {
//! // Once, outside of the closure that runs per worker.
//! let scope = Scope::header("x-tenant-id"); // whose the keys are; your gateway sets it
//! let idempotency = Idempotency::new(MemoryStore::new(), scope)?;
//!
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .wrap(idempotency.clone())
//!         .route("/payments", web::post().to(async || HttpResponse::Created()))
//! });
//! # drop(server);
//! # Ok(())
//! # }
//! ```
//!
//! | | |
//! |---|---|
//! | **Of requests with one key, one runs** | however many workers, processes and machines share the store |
//! | **Who repeats it gets its answer** | status, headers and bytes; recorded before the first byte is sent |
//! | **Who leaves does not cut it off** | the handler runs to its end, the retry gets the answer |
//! | **An answer that exists is not lost with the store** | recorded in the background, for ten minutes, and never released meanwhile |
//! | **What was done is not done again** | answers that are too large or cut off leave a tombstone; values that cannot be read count as present |
//! | **No key stays blocked** | 30 seconds after its owner died; a client that gives up leaves nothing behind |
//! | **No tenant sees another's answer** | keys live in a scope that has to be chosen |
//!
//! What it cannot do is know what a process has done that died: see
//! [choosing a policy for crashes](guide#choosing-a-policy-for-crashes). What each of these promises
//! rests on, what breaks it and how that is known: [promise](guide::promise). What clients see when something is
//! refused: [problem].
//!
//! # ApiLock
//!
//! ```
//! use actix_web::{App, HttpResponse, HttpServer, http::Method, web};
//! use actix_web_idempotency::{ApiLock, MemoryStore};
//! use serde_json::json;
//!
//! # fn main() -> std::io::Result<()> {
//! let lock = ApiLock::builder(MemoryStore::new(), |req| {
//!     json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
//! })
//! .methods([Method::POST]) // without it every method but OPTIONS, so GET too
//! .build()?;
//!
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .wrap(lock.clone())
//!         .route("/orders", web::post().to(async || HttpResponse::Created()))
//! });
//! # drop(server);
//! # Ok(())
//! # }
//! ```
//!
//! ## What it guarantees
//!
//! | | |
//! |---|---|
//! | **Of equal requests at once, one runs** | however many workers, processes and machines share the store: the claim is one atomic step of the store |
//! | **A lock ends with its response** | last byte handed over, body dropped, handler error, panic, client reset, worker shut down; a process that dies leaves it to the TTL |
//! | **A client that has its answer never meets its own lock** | an answer in memory is not sent before the lock is free; after a stream or a file it is free within moments |
//! | **Only the owner releases** | each claim carries a random token, compared in the same step that deletes |
//! | **A claim that was given up is undone** | a claim can be carried out after its client or its time-out has gone; the background looks for it and frees it |
//! | **Every wait is bounded** | store calls 500 ms, bodies 30 s between two pieces, and 2 MiB in size |
//! | **Clients choose no keys** | a key is a SHA-256 digest; a problem's body says nothing of what is inside |
//!
//! ## What it does not
//!
//! * **A lock with a TTL is not a fence.** When a handler runs longer than the
//!   [`ttl`](api_lock::ApiLockBuilder::ttl), an equal request runs beside it. What must never happen twice
//!   needs a unique constraint where it is written down; the lock then saves the work, the
//!   constraint the money.
//! * **It does not remember.** Once the first response is complete, the same request runs again.
//! * **It is as consistent as its store.** A Redis that fails over without having replicated the
//!   last moments, or that is restarted without persistence, has forgotten the locks of those
//!   moments. With [`silent(true)`](api_lock::ApiLockBuilder::silent) an outage of the store lets
//!   everything through.
//! * **It cannot stop what a handler has handed away.** On HTTP/1 a reset drops the handler at its
//!   next `.await` and frees the lock; a task that it has spawned goes on.
//!
//! [Coming from api-concurrency](guide::upgrading#coming-from-api-concurrency): option by option. What
//! users of a lock run into: [troubleshooting](guide::troubleshooting), by symptom.
//!
//! # Watching it
//!
//! `on_event` of each builder takes a closure that is told of each request and of what happens in the background:
//! see [`event`]; [`metrics::observer`] counts them for Prometheus. Where an API has clients already, let it
//! watch before it refuses: [rollout](guide::rollout).
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`] |
//! | `redis` | yes | [`RedisStore`] on one server, Sentinel or Cluster; [`store::redis`] re-exports the crates of its pools |
//! | `metrics` | no | [`metrics`], an observer that counts events for the facade of that name |
//! | `redis-rustls` | no | `rediss://` URLs, with the system's certificates or your own |
//! | `tracing` | no | the [span](event#traces) of a request stays the current one where its handler runs on without its client, and where events are told; log lines are its events, with their fields |
//! | `test-util` | no | [`testing`], for the tests of your application; [`store::conformance`], the test for stores of your own |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api_lock;
mod claim;
mod config;
pub mod dedup;
pub mod event;
mod fingerprint;
pub mod guide;
pub mod idempotency;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "metrics")]
pub mod metrics;
mod middleware;
pub mod problem;
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
mod runtime;
pub mod store;
#[cfg(feature = "test-util")]
pub mod testing;

#[cfg(feature = "memory")]
pub use self::store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use self::store::redis::RedisStore;
pub use self::{
    api_lock::ApiLock,
    config::{ConfigError, ExpiredLease, InFlight, StoreFailure, Waiting},
    fingerprint::Fingerprint,
    idempotency::{
        Claim, Fingerprinting, Idempotency, IdempotencyKey, KeySource, Recording, Scope,
    },
    middleware::{RequestView, cors},
    store::AnyStore,
};
