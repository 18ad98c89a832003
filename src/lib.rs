//! Middleware for [actix-web](actix_web) 4 that runs a request once, even if it arrives twice: a user clicks
//! "Pay" twice, a mobile client times out and retries, a proxy repeats a `POST`.
//!
//! [`Idempotency`] runs a request with an `Idempotency-Key` once and records its response. A retry with the
//! same key gets the same response, waits for it, or learns why not:
//!
//! ```
//! use actix_web::{App, HttpResponse, HttpServer, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! # fn main() -> std::io::Result<()> {
//! // Built once, outside of the closure that runs per worker. The scope says whose the keys are.
//! let idempotency = Idempotency::new(MemoryStore::new(), Scope::header("x-tenant-id"))?;
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
//! [`ApiLock`] refuses a request with 409 while an equal one runs. Clients need no key, and nothing is
//! remembered. A closure builds a payload from each request; requests with equal payloads are duplicates:
//!
//! ```
//! use actix_web::{App, HttpResponse, HttpServer, web};
//! use actix_web_idempotency::{ApiLock, MemoryStore};
//! use serde_json::json;
//!
//! let lock = ApiLock::new(MemoryStore::new(), |req| {
//!     json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
//! });
//! let server = HttpServer::new(move || {
//!     App::new()
//!         .wrap(lock.clone())
//!         .route("/orders", web::post().to(async || HttpResponse::Created()))
//! });
//! # drop(server);
//! ```
//!
//! [`Deduplicator`](dedup::Deduplicator) does the same for work that does not arrive by HTTP. All three work within
//! one process on [`MemoryStore`], on one machine on [SQLite](guide::sqlite), and across machines on [`RedisStore`] or
//! [PostgreSQL](guide::postgres).
//!
//! # Guarantees
//!
//! * **Never twice.** Of requests with one key, one runs at a time; once its response is recorded, none runs until
//!   the retention ends.
//! * **Never a wrong replay.** A retry gets the recorded response, byte for byte. Another request with the same key
//!   gets 422; another caller never sees the response.
//! * **Never stuck.** A claim ends with its work. After a crash, the key stays claimed for at most its lease, 30
//!   seconds by default.
//!
//! No middleware can know how far a crashed process got, and a lease is not a fencing token: if an effect must never
//! happen twice, enforce it in your database too. [The promise](guide::promise) states each guarantee, what it rests
//! on, and what breaks it.
//!
//! # Read on
//!
//! | page | what it is for |
//! |---|---|
//! | the [guide] | decisions: scope, crashes, what is recorded, authentication, CORS |
//! | [recipes](guide::recipes) | payments, webhooks, forms, a queue's consumer, a batch import |
//! | [troubleshooting](guide::troubleshooting) | by symptom: "I get 409 for ever", "nothing is ever replayed" |
//! | [rollout](guide::rollout), [operation](guide::operation), [Redis](guide::redis), [PostgreSQL](guide::postgres), [SQLite](guide::sqlite) | introducing it, deploying it, running it |
//! | [problem], [event], [metrics] | what clients, observers and Prometheus see |
//! | [testing], [store::conformance] | testing an application, and a store of your own |
//! | [comparison](guide::comparison), [upgrading](guide::upgrading), [design](guide::design) | other libraries, coming from them, what it costs and why |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`] |
//! | `redis` | yes | [`RedisStore`] on one server, Sentinel or Cluster; [`store::redis`] re-exports the crates of its pools |
//! | `redis-rustls` | no | `rediss://` URLs, with the system's certificates or custom ones |
//! | `sql` | no | [`store::sql`], the core of `PgStore` and `SqliteStore` in [`actix-web-idempotency-sqlx`](https://docs.rs/actix-web-idempotency-sqlx); that package switches it on |
//! | `metrics` | no | [`metrics`]: an observer that counts events for the facade of that name |
//! | `tracing` | no | log lines as events of `tracing`, and the request's [span](event#traces) in handlers that outlive their client |
//! | `test-util` | no | [`testing`] and [`store::conformance`] |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod api_lock;
mod claim;
#[cfg(feature = "sql")]
pub mod commit;
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
#[doc(inline)]
pub use self::store::memory::MemoryStore;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use self::store::redis::RedisStore;
#[doc(inline)]
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
