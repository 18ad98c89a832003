//! Introducing a guard into an API that has clients: observe first, refuse later.
//!
//! It is hard to know what the clients of a production API send: keys that are used twice, no keys at all, the
//! same order three times within a second. So let the middleware find out before it refuses.
//!
//! # 1. A shadow
//!
//! With [`shadow`](crate::idempotency::IdempotencyBuilder::shadow) (also [of the
//! lock](crate::api_lock::ApiLockBuilder::shadow)) a guard evaluates, counts and logs every request, but never
//! refuses, replays or makes one wait: each runs its handler and gets its own response, without a header of
//! this crate.
//!
//! ```
//! use actix_web_idempotency::{ConfigError, Idempotency, MemoryStore, Scope};
//!
//! /// `watch` comes from the configuration, so that switching it on is no new release.
//! fn idempotency(watch: bool) -> Result<Idempotency, ConfigError> {
//!     let builder = Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant-id"));
//!     let builder = if watch { builder.shadow(true) } else { builder };
//!     builder.on_event(|event| { /* count it */ }).build()
//! }
//! # idempotency(true)?;
//! # Ok::<_, ConfigError>(())
//! ```
//!
//! **What is as without it.** A handler ends with its client, although a real one runs to completion: the key
//! is then free, and a retry counts as executed where it would have been replayed. Panics propagate. A body
//! that is too large, stalls or breaks off reaches its handler whole, still streaming. If closures of the
//! application fail or panic, or the store is away, that is logged, and the request runs.
//!
//! **What is not.** It costs what the real guard costs, which is one of the things to find out:
//!
//! * A handler begins after its body has arrived (or exceeds
//!   [`max_body`](crate::idempotency::IdempotencyBuilder::max_body) or
//!   [`body_timeout`](crate::idempotency::IdempotencyBuilder::body_timeout)), the closures have run and the
//!   store has replied. That takes
//!   [`RequestEvent::claim_duration`](crate::event::RequestEvent::claim_duration), at most the store's time
//!   limit: 500 ms on Redis. [`skip`](crate::idempotency::IdempotencyBuilder::skip) routes whose handlers
//!   respond while their client still sends.
//! * The response to an original request is sent after it is recorded, which takes as long at most.
//! * The store has as many calls. Original requests hold their claims and are recorded; the others change
//!   nothing. Records are replayed once the shadow is switched off, while their retention lasts.
//! * A handler that takes a [`Claim`](crate::Claim) has one, also for a request that would have been refused or
//!   replayed. It is never lost, its fencing token is this machine's time, and
//!   [a commit](crate::guide::exactly_once) is a plain `COMMIT`. The [`IdempotencyKey`](crate::IdempotencyKey) is
//!   there if key, scope and body were valid.
//! * Wrapped around a real guard with the same stored keys, it keeps that one from guarding, as any outer guard
//!   does: give it another [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix).
//!
//! # 2. A week
//!
//! A week covers the weekly batch and the client that is only used on Sundays. Count [events](crate::event) by
//! `outcome` and `problem` (the feature `metrics` does); log lines have the same fields and `shadow`.
//!
//! | what you see | what it means | what to do |
//! |---|---|---|
//! | `replayed` | it ran twice, and will not | nothing: this is the purpose |
//! | `invalid`, `key-missing` | clients that send no key | leave [`required`](crate::idempotency::IdempotencyBuilder::required) for the last step |
//! | `invalid`, `key-invalid` | keys with spaces, too long, repeated | [`KeySource`](crate::KeySource), or talk to them |
//! | `invalid`, `scope-missing` | requests without a caller | wrap it inside of authentication, or another [`Scope`](crate::Scope) |
//! | `mismatch` | a client uses a key for two requests; or its tries differ, by a time stamp or a nonce | the client has to change in the first case, [`Fingerprinting`](crate::Fingerprinting) in the second |
//! | `in_flight` | retries come before the response | [`InFlight::Wait`](crate::InFlight); compare [`lease_left`](crate::event::RequestEvent::lease_left) and `handler_duration` |
//! | `in_flight` of a lock, far more often than users click twice | its payload does not name the caller | put the user into it |
//! | `not_stored` | responses that are too large, or streams that are cut off | [`Recording::max_body`](crate::Recording::max_body), or `skip` them |
//! | `executed` with [`Ending::Freed`](crate::event::Ending) | responses that are not recorded: 5xx, 401, 408, 425, 429 | nothing, if a retry may run; else [`Recording::when`](crate::Recording::when), [`Claim::record_always`](crate::Claim::record_always) |
//! | `unknown`, `attempt` above 1 | crashed owners: processes that are killed, handlers longer than [`renew_for`](crate::idempotency::IdempotencyBuilder::renew_for) | [choose a policy](crate::guide#choosing-a-policy-for-crashes) |
//! | `invalid`, `payload-too-large` or `body-timeout` | uploads | `max_body`, or `skip` them |
//! | `failed` | closures that fail, or clients that disconnect while they send | the status in the log line; a panic is an error there |
//! | `store_error` | requests that will be refused while the store is away | [the next step](#3-on) |
//!
//! # 3. On
//!
//! Remove `.shadow(true)`, route by route if some matter more than others. Fail open at first
//! ([`StoreFailure::FailOpen`](crate::StoreFailure), [`silent(true)`](crate::api_lock::ApiLockBuilder::silent))
//! if you have never seen an outage of the store: then an outage makes nothing worse than before.
//!
//! While some processes are still shadows nothing is guaranteed: they run what the others have claimed. So
//! switch all of them, and count from then on.
//!
//! # 4. Keys required
//!
//! When all clients send keys, add [`required(true)`](crate::idempotency::IdempotencyBuilder::required), and
//! fail closed where a second run costs more than a refusal.
