//! Middleware for [actix-web](actix_web) 4, for requests that must not run twice.
//!
//! A user clicks "Pay" twice, a mobile client times out and retries, a proxy repeats a `POST`.
//!
//! * [`Idempotency`]: with an `Idempotency-Key` the first request runs and its answer is recorded;
//!   repetitions get the same answer, wait for it, or are told why not.
//! * [`ApiLock`]: while a request runs, an equal one is refused with 409. Clients need to know
//!   nothing of it, and nothing is remembered.
//! * [`Once`]: the same as the first, for work that does not come by HTTP.
//!
//! On one process with the embedded [`MemoryStore`], on many with [`RedisStore`].
//!
//! | read | for |
//! |---|---|
//! | this page | a first program, what is guaranteed, what it costs, how it is built |
//! | the [guide] | decisions: scope, crashes, what is recorded, authentication, CORS; [sessions](guide::sessions), [transactions](guide::transactions), [other middlewares](guide::middlewares), [locks](guide::locks), [an orderly stop](guide::operation#an-orderly-stop) |
//! | [recipes](guide::recipes) | payments, webhooks, forms that are sent twice, a queue's consumer, a batch import |
//! | [troubleshooting](guide::troubleshooting) | "I get 409 for ever", "nothing is ever replayed", and what else looks odd |
//! | [Redis in production](guide::redis), [comparison](guide::comparison), [upgrading](guide::upgrading) | running it, choosing it, staying with it |
//!
//! # Idempotency
//!
//! ```
//! use actix_idempotency::{Idempotency, MemoryStore, Scope};
//! use actix_web::{App, HttpResponse, HttpServer, web};
//!
//! # fn main() -> std::io::Result<()> {
//! // Once, outside of the closure that runs per worker.
//! let scope = Scope::header("x-tenant-id"); // whose the keys are; your gateway sets it
//! let idempotency = Idempotency::builder(MemoryStore::new(), scope).build()?;
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
//! use actix_idempotency::{ApiLock, MemoryStore};
//! use actix_web::{App, HttpResponse, HttpServer, http::Method, web};
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
//!   [`ttl`](ApiLockBuilder::ttl), an equal request runs beside it. What must never happen twice
//!   needs a unique constraint where it is written down; the lock then saves the work, the
//!   constraint the money.
//! * **It does not remember.** Once the first response is complete, the same request runs again.
//! * **It is as consistent as its store.** A Redis that fails over without having replicated the
//!   last moments, or that is restarted without persistence, has forgotten the locks of those
//!   moments. With [`silent(true)`](ApiLockBuilder::silent) an outage of the store lets
//!   everything through.
//! * **It cannot stop what a handler has handed away.** On HTTP/1 a reset drops the handler at its
//!   next `.await` and frees the lock; a task that it has spawned goes on.
//!
//! [Coming from api-concurrency](guide::upgrading#coming-from-api-concurrency): option by option. What
//! users of a lock run into: [troubleshooting](guide::troubleshooting), by symptom.
//!
//! # Watching it
//!
//! [`IdempotencyBuilder::on_event`], [`ApiLockBuilder::on_event`] and [`OnceBuilder::on_event`] take a
//! closure that is told of each request and of what happens in the background, with durations, sizes
//! and the attempt: see [`event`], which also says how they come into [traces](event#traces).
//! [`metrics::observer`] (feature `metrics`) is one that counts them for Prometheus; `examples/metrics`
//! in the repository serves that, and has a Grafana dashboard and alerts.
//!
//! Where an API has clients already, let it watch before it refuses: [rollout](guide::rollout).
//!
//! # Stopping
//!
//! [`Idempotency::drain`], [`ApiLock::drain`] and [`Once::drain`] wait for what is in progress. They have
//! two places, in `HttpServer::shutdown_signal` and after `run()`: [an orderly
//! stop](guide::operation#an-orderly-stop) has the whole, with time limits that fit together.
//!
//! # What it costs
//!
//! | request | calls to the store | in Redis |
//! |---|---|---|
//! | first run | 2, one more for each [`Claim::fence`] | `SET`, one script |
//! | replay, or a key that stands for something else | 1 | `SET` |
//! | duplicate that is refused | 1, or 2 if it is the same request | `SET`, one script |
//! | duplicate that waits | the same, and 1 after the wait | and for all who wait in a process one subscription and one script |
//! | lock | 2 | `SET`, one script |
//! | lock that is refused | 1 | `SET` |
//!
//! Calls of one worker share a connection and are written together: at 64 requests at once Redis
//! reads from its sockets less than once in ten requests. Nothing is spawned per request, and there
//! is no ping.
//!
//! On the memory store, allocations for a request beyond those of a bare handler (`cargo run --release
//! -p parts --bin allocations` counts them, and a test holds them to this, give or take the one that
//! another version of a dependency may make):
//!
//! | | allocations |
//! |---|--:|
//! | lock over bytes | 11 |
//! | lock over JSON | 25 |
//! | first run, bytes | 20 |
//! | first run, JSON | 24 |
//! | replay, bytes | −5 |
//! | replay, JSON | −1 |
//!
//! The largest, of a kilobyte, is the future that goes with the request from its head to its answer;
//! then come the claim, what is known of it while it runs, the entry in the store, the recorded
//! headers and the record, each shared from there on and never copied; a box for each call, because a
//! middleware does not name its store; and what handlers can ask for. The body is not copied. JSON
//! that compares by value adds one text of the body's size and a few small ones; [`Fingerprinting`]
//! and [`RequestView::bytes`] avoid it. A replay saves those of the handler that does not run.
//!
//! Where the time goes, in nanoseconds on a core that serves a bare handler 190,000 times a second
//! (5,200 each), measured without sockets (`cargo run --release -p parts --bin spin`, under `perf`):
//!
//! | | lock over bytes | lock over JSON | first run |
//! |---|--:|--:|--:|
//! | SHA-256 | 210 | 230 | 150 |
//! | putting the payload in order and writing it | 60 | 830 | |
//! | allocator, moves and new memory | 190 | 680 | 930 |
//! | memory store | 120 | 120 | 360 |
//! | two looks at the clock, a random token | 80 | 80 | 70 |
//! | reading the body and giving it back | 70 | 80 | 80 |
//! | actix: extensions, bodies of another type | 130 | 160 | |
//! | all else in this crate | 330 | 530 | 320 |
//! | all | 1190 | 2710 | 1910 |
//!
//! **How much less could it be?** `benches/load/run` has rows of a middleware that does by hand what
//! cannot be done without (read the body, digest it, look into one map, keep the answer) and nothing for
//! the day that something fails. That one serves 0.88 of the bare handler's requests as a lock, 0.73 as
//! a first run; `ApiLock` 0.80, `Idempotency` 0.68: 1.1 to 1.4 times its processor time. In between stand
//! an owner and a lease, a guard that is armed before anything is sent, limits, and a store that is
//! bounded and can be another one. To save more, a payload over [`RequestView::bytes`] or
//! [`RequestView::path`] avoids most of what JSON costs, and another allocator helps: under mimalloc a
//! lock over JSON adds 2420 ns instead of 2710, a first run 1690 instead of 1910.
//!
//! On Redis the commands themselves, the same that one would write by hand, are the larger part of
//! all; what is added to them is what the middleware costs in memory. A handler that sends these
//! commands, reads no key and digests nothing serves 0.55 of the bare handler's requests with a lock,
//! 0.44 with a first run. Put the least middleware around it, 0.8 and 1.9 µs, and 0.92 and 0.84 of
//! that are left; `ApiLock` serves 0.85, `Idempotency` 0.81. The tables are in the repository, in
//! `benches/load/results.md`.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`] |
//! | `redis` | yes | [`RedisStore`] on one server, Sentinel or Cluster, and the crates it stands on as `bb8`, `bb8_redis`, `redis` |
//! | `metrics` | no | [`metrics`], an observer that counts events for the facade of that name |
//! | `redis-rustls` | no | `rediss://` URLs, with the system's certificates or your own |
//! | `tracing` | no | the [span](event#traces) of a request stays the current one where its handler runs on without its client, and where events are told; log lines are its events, with their fields |
//! | `test-util` | no | [`testing`], for the tests of your application; [`store::conformance`], the test for stores of your own; [`BackgroundHere`] |
//!
//! # How it is built
//!
//! A middleware reads the body, asks the application's closures whose request it is and what it is
//! equal to, and claims a digest of that in a [`store::Store`]. The claim is held by a guard whose
//! drop, wherever and whenever it happens, leads to a release, or, once there is an answer, to its
//! recording. Work that must outlive a request (undos, renewals, retried recordings, watches) runs
//! on one thread of the crate's own, because actix ends its worker runtimes first when a server
//! stops.
//!
//! Where this differs from the design it began with, and why:
//!
//! * `Store::release` and `Store::complete` do not tell the store's time, only `renew` does. Nobody
//!   needs it there, and it would cost every unlock a `TIME` in Redis.
//! * [`StoreError::may_have_run`](store::StoreError::may_have_run) tells a call that was refused
//!   from one that may still be carried out. Only the latter is undone, so an outage in which
//!   connections are refused leaves no backlog of undos.
//! * `renew` and `release` act on a claim of their own token even after its lease has lapsed, as
//!   long as nobody has taken it over: an undo must also find a claim that arrived late.
//! * A store bounds its own calls (Redis: 500 ms); the middlewares add a bound of 10 seconds for
//!   stores that do not. With two bounds of the same length it would be chance which one fires, and
//!   only the store's own can mark a connection as broken.
//! * [`MemoryStore`] keeps no queue of what expires. Every claim would pay for its place in it, and
//!   most are released long before; a walk over the entries, once a second where something may be
//!   due, costs less and holds no lock for longer than a fraction of a millisecond.
//! * What becomes of a key in memory, and what follows when an owner goes, is decided in two places
//!   that know neither clock nor runtime (`store/memory/life.rs`, `claim/course.rs`): the model of all
//!   lives of a claim is of the code itself. See [how we know](guide::promise#how-we-know).
//! * The shards of [`MemoryStore`] take places for entries by the batch. One count for all would be the
//!   only thing that every request of every worker writes to.
//! * Recorded headers are one piece of memory ([`store::Headers`]), which stands in Redis as it is and
//!   is shared by all replays, not a list of names and values with two allocations for each.
//! * bb8 opens and replaces the connection of a worker, but is not asked for it on every call.
//! * A body that has come with its head sets no timer, and a store that bounds its own calls
//!   ([`Store::IS_BOUNDED`](store::Store::IS_BOUNDED)) is not timed again: setting and clearing a
//!   timer costs as much as a claim in memory.
//! * One future of about a kilobyte holds a guarded request from its head to its answer. Larger ones
//!   would not fit into the allocator's fast path, and a second one for the handler alone would be
//!   another copy of all that it needs.
//! * A body that is not JSON serialises as text or as a digest, not as an array of numbers: `json!`
//!   would take 32 bytes for each.
//! * An undo that keeps finding nothing looks ever less often (up to every ten seconds, until the
//!   claim's lease would have ended), and after a second [`ApiLock::drain`] no longer waits for it.
//!   Most claims that were given up never arrive; without this a client that resets many
//!   connections would cost Redis seventy calls for each, and a shutdown its whole time limit.
//! * Connections are found by runtime id rather than by thread, so that a multi-threaded runtime
//!   has one as well, and a thread that runs two runtimes one after the other does not get a dead
//!   one.
//! * A claim has one more state than running and answered: *sent*, while nobody knows whether the
//!   store has it.
//! * Handlers are renewed per middleware, not in one registry for all: their leases are alike, and a
//!   test can have its own.
//! * Completions that wait for the store are bounded by bytes too (64 MiB in a process): beyond it
//!   they become tombstones. What was done is worth more than what was answered.
//! * Their claim goes on being renewed meanwhile. It costs what it cost before, and keeps a second
//!   run away while the store refuses writes and still renews.
//! * Who waits is not told that the store is away, and does not fail open: it has seen the first one
//!   run.
//! * A stream that grows beyond the cap leaves its tombstone then, not at its end, which a stream of
//!   events may never reach.
//! * A claim that the owner knows nothing of for as long as its lease counts as lost
//!   ([`Claim::is_lost`]), whether or not the store has said so.
//! * The problem types have a type of their own, [`problem::Problems`], for both middlewares.
//! * Sentinel and Cluster need no feature and nothing of the redis crate but connections. Its
//!   cluster client sends a `SET NX` nine times when connections end, stops all shards until a frozen
//!   node has timed out, and does not follow the failover of a frozen primary; its Sentinel client needs
//!   longer than a call has when one sentinel is frozen.
//! * The sentinels are asked twice a second whom they name. `+switch-master` would say it too, but a
//!   subscription is silent for weeks, and a network may forget it meanwhile. Without either, a master
//!   that is replaced by order goes on for ten seconds and confirms what is then lost.
//! * A [shadow](guide::rollout) is a future of its own beside the real one: where it is off it costs one look at
//!   a boolean. Its first handler ends with its client, as without a middleware; run to its end it would
//!   be recorded more often, but nothing that only watches may change what a handler does.
//! * With the feature `tracing`, the span that a handler keeps is the one in which it began, not the one
//!   in which its future is dropped: tracing-actix-web drops it outside.
//! * Only a `GET` upgrades: two headers must not lead a `POST` past the guard. And `Upgrade: h2c` does
//!   not make a request an upgrade: some clients offer it with every first request.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_lock;
mod claim;
mod config;
mod dedup;
pub mod event;
mod fingerprint;
pub mod guide;
mod idempotency;
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

#[cfg(feature = "redis")]
pub use ::{bb8, bb8_redis, redis};

#[cfg(feature = "test-util")]
pub use self::runtime::background::BackgroundHere;
#[cfg(feature = "memory")]
pub use self::store::memory::{MemoryStore, MemoryStoreBuilder, MemoryUsage};
#[cfg(feature = "redis")]
pub use self::store::redis::{Finding, FindingKind, RedisStore, RedisStoreBuilder};
pub use self::{
    api_lock::{ApiLock, ApiLockBuilder, ApiLockMiddleware, LockPayload},
    claim::FenceError,
    config::{ConfigError, InFlight, LostOwner, StoreFailure},
    dedup::{Claimed, Done, Once, OnceBuilder, Run},
    fingerprint::Fingerprint,
    idempotency::{
        Claim, Fingerprinting, Idempotency, IdempotencyBuilder, IdempotencyKey,
        IdempotencyMiddleware, IntoLabel, InvalidKey, KeySource, Limits, Recording, ResponseView,
        Scope, Transient,
    },
    middleware::{Body, GuardedBody, RequestView, cors},
    store::Settled,
};
