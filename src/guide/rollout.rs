//! How to introduce it into an API that lives: watch first, refuse later.
//!
//! Nobody knows what the clients of a living API really send: keys that are used twice, none at all,
//! the same order three times within a second. So let the middleware find out before it decides.
//!
//! # 1. A shadow
//!
//! With [`shadow`](crate::idempotency::IdempotencyBuilder::shadow) (the lock has
//! [the same](crate::api_lock::ApiLockBuilder::shadow)) it decides, counts and logs as it will, but never
//! refuses, never replays and never lets anybody wait: every request runs its handler and gets its own
//! answer, with no header of ours.
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
//! **What is as if it were not there.** A handler ends with its client, although a real one runs to
//! its end: the key is then free, and a retry counts as executed where it would have been replayed. A
//! panic goes on as it does. A body that is too large, stalls or breaks off reaches its handler whole,
//! what was read before the rest, which goes on streaming. Closures of the application that fail or
//! panic are logged, and the request runs. When the store is away, too.
//!
//! **What is not.** It costs what the real one costs, which is one of the things to find out:
//!
//! * A handler begins when its body is here (or is larger or slower than
//!   [`max_body`](crate::idempotency::IdempotencyBuilder::max_body) and
//!   [`body_timeout`](crate::idempotency::IdempotencyBuilder::body_timeout) allow), the closures have run and the
//!   store was asked. That takes [`RequestEvent::claim_duration`](crate::event::RequestEvent::claim_duration), at
//!   most the store's time-out: 500 ms on Redis. [`skip`](crate::idempotency::IdempotencyBuilder::skip) routes whose
//!   handlers answer while their client still sends.
//! * The answer of a first request goes out when it is recorded, which takes as long at most.
//! * The store is asked as often. First requests hold their claims and are recorded; the others change
//!   nothing in it. What is recorded is replayed once the shadow is switched on, while its retention
//!   lasts.
//! * A handler that takes a [`Claim`](crate::Claim) has one when it is the first. Those that would have
//!   been refused or replayed have none, as if the store had been away: take `Option<Claim>`. The
//!   [`IdempotencyKey`](crate::IdempotencyKey) is there when key, scope and body were in order.
//! * Around a real one with the same stored keys, it keeps that one from guarding, as any outer one
//!   does: give it a [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) of its own.
//!
//! # 2. A week
//!
//! Long enough for the weekly batch and the client that is only used on Sundays. Count
//! [events](crate::event) by `outcome` and `problem` (the feature `metrics` does); log lines have the same
//! fields and `shadow`.
//!
//! | what there is | what it says | what to do |
//! |---|---|---|
//! | `replayed` | what ran twice, and will not | nothing: that is what it is for |
//! | `invalid`, `key-missing` | clients that send no key | leave [`required`](crate::idempotency::IdempotencyBuilder::required) for the last step |
//! | `invalid`, `key-invalid` | keys with spaces, too long, repeated | [`KeySource`](crate::KeySource), or talk to them |
//! | `invalid`, `scope-missing` | requests that do not say whose they are | wrap it inside of authentication, or another [`Scope`](crate::Scope) |
//! | `mismatch` | a client uses a key twice; or its tries differ, by a time stamp or a nonce | the first is the client's to mend, the second [`Fingerprinting`](crate::Fingerprinting)'s |
//! | `in_flight` | retries come sooner than answers | [`InFlight::Wait`](crate::InFlight); compare [`lease_left`](crate::event::RequestEvent::lease_left) and `handler_duration` |
//! | `in_flight` of a lock, by far more than anybody clicks twice | its payload does not name the caller | put the user into it |
//! | `not_stored` | answers that are too large, or streams that are cut off | [`Recording::max_body`](crate::Recording::max_body), or `skip` them |
//! | `executed` with [`Ending::Freed`](crate::event::Ending) | answers that are not recorded: 5xx, 401, 408, 425, 429 | nothing, if a retry may run; else [`Recording::when`](crate::Recording::when), [`Claim::record_always`](crate::Claim::record_always) |
//! | `unknown`, `attempt` above 1 | owners died: processes that are killed, handlers longer than [`renew_for`](crate::idempotency::IdempotencyBuilder::renew_for) | [choose a policy](crate::guide#choosing-a-policy-for-crashes) |
//! | `invalid`, `payload-too-large` or `body-timeout` | uploads | `max_body`, or `skip` them |
//! | `failed` | closures that fail, or clients that hang up while they send | the status in the log line; a panic is an error there |
//! | `store_error` | what will be refused while the store is away | [the next step](#3-on) |
//!
//! # 3. On
//!
//! Take `.shadow(true)` away; route by route, if some are worth more than others. Let the store fail open
//! at first ([`StoreFailure::FailOpen`](crate::StoreFailure), [`silent(true)`](crate::api_lock::ApiLockBuilder::silent))
//! if an outage of it has never been seen: then it can make nothing worse than it was.
//!
//! While some processes are still shadows nothing is promised: they run what the others hold. So switch
//! all of them, and count from then on.
//!
//! # 4. Keys required
//!
//! When the clients that send no key are known and told, add
//! [`required`](crate::idempotency::IdempotencyBuilder::required), and fail closed where a second run costs more than
//! a refusal.
