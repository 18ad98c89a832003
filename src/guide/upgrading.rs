//! From one release to the next, and from another library to this one.
//!
//! # From one release to the next
//!
//! This is the first release, so there is nothing to upgrade from. Later ones:
//!
//! * `CHANGELOG.md` lists every change that a user can notice.
//! * Versions follow [Semantic Versioning](https://semver.org/spec/v2.0.0.html): as long as they begin
//!   with 0, a new second number may break something, and a new third one does not.
//! * A release that breaks something has a section here: what changed, whom it concerns, what to write instead,
//!   and whether it may run beside the one before.
//! * These are breaking changes, besides what the compiler finds: a status, a header or a problem that clients
//!   see; a default; what the stored key or the fingerprint of a request is made of; the stored format; a name
//!   of an event, a log field or a metric; the oldest Rust (1.89) and the oldest Redis (7.0); a new major
//!   version of actix-web, bb8 or redis, which are part of the API.
//!
//! # Two releases at once
//!
//! During a rolling deployment, processes of two releases share a Redis. Each value there begins with the
//! version of its format, [`01`](super::redis#looking-at-a-key) today. A process that meets another version
//! **treats it as present and does not touch it**:
//!
//! | what a newer process has written | what an older process does |
//! |---|---|
//! | a claim | 409 `response-not-stored`, [`DedupOutcome::NotStored`](crate::dedup::DedupOutcome::NotStored): nothing runs twice, and the retry has to find a newer process |
//! | a record | the same, and no replay |
//! | a lock | 409 `busy`, in any format |
//!
//! So mixed releases are safe, and less helpful for the keys of the newer processes. This will stay so:
//!
//! * A newer release reads what older ones have written, for at least a retention.
//! * A new format takes two releases: the first reads it, the second writes it. An upgrade through the first
//!   has no such responses.
//! * A change in what keys or fingerprints are made of would make retries across the deployment run again, or
//!   get 422. A test holds today's form, so it cannot happen by accident.
//!
//! The same is true for **your own changes**: another `key_prefix`, `Scope`, `KeySource` or method and path is
//! another key, so retries of earlier requests run again. With another
//! [`Fingerprinting`](crate::Fingerprinting) they get 422 until the records are gone. Change them when nothing
//! is in flight, or change the prefix too.
//!
//! **A downgrade** is the same in the other direction. **Another store** gets no keys from the old one: [what
//! survives what](crate::RedisStore#what-survives-what).
//!
//! # Coming from api-concurrency
//!
//! [`ApiLock`](crate::ApiLock) is the npm package api-concurrency as an actix `Transform`.
//!
//! | npm option | here | difference |
//! |---|---|---|
//! | `payload` | the closure given to [`ApiLock::builder`](crate::ApiLock::builder), or a [`LockPayload`](crate::api_lock::LockPayload) that can fail, wait, or let a request pass | built from each request; any `Serialize` value |
//! | `ttl` (ms, 60000) | [`ttl(Duration)`](crate::api_lock::ApiLockBuilder::ttl), 60 s | – |
//! | `silent` (false) | [`silent(bool)`](crate::api_lock::ApiLockBuilder::silent), false | the package's README has it the wrong way round; here as in its code, `true` runs requests when Redis fails |
//! | `key_prefix` (`ApiLock`) | [`key_prefix(..)`](crate::api_lock::ApiLockBuilder::key_prefix), `ApiLock:` | nothing is put between prefix and digest |
//! | `error_message` (`Resource is busy`) | [`error_message(..)`](crate::api_lock::ApiLockBuilder::error_message), the same | it is the `detail` of an [RFC 9457 problem](crate::problem) |
//!
//! A refused duplicate gets 409 instead of an error passed to `next` (or a 200), and without `Retry-After`:
//! nothing is recorded, so repeating the request afterwards runs it a second time. To have the header, add it
//! in [`problems`](crate::api_lock::ApiLockBuilder::problems). Also: the claim is one `SET NX PX` instead of a
//! `GET` and a `SET`, between which a second request fits; only its owner releases a lock; digests are SHA-256
//! instead of MD5; the order of JSON members does not matter; there is no ping per request.
//!
//! # Coming from nestjs-redisx idempotency
//!
//! | option of `IdempotencyPlugin` / `@Idempotent` | here | difference |
//! |---|---|---|
//! | `defaultTtl`, `ttl` (s, 86400) | [`retention`](crate::idempotency::IdempotencyBuilder::retention), [`Claim::retain_for`](crate::Claim::retain_for) | counted from the response, not from the claim |
//! | `keyPrefix` (`idempotency:`) | [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) | the rest is a digest of scope, method, path and key, not the key as the client sent it |
//! | – | [`Scope`](crate::Scope) | required: there all clients share one space of keys |
//! | `headerName`, `keyExtractor` | [`KeySource`](crate::KeySource) | keys are checked, quoted ones are understood |
//! | `lockTimeout` (ms, 30000) | [`lease`](crate::idempotency::IdempotencyBuilder::lease), 30 s | renewed while the handler runs, so a slow handler is not joined by a second |
//! | `waitTimeout` (ms, 60000) | [`InFlight::Wait`](crate::InFlight) | the default is to refuse with 409; waiting duplicates are notified instead of polling |
//! | `validateFingerprint`, `fingerprintFields`, `fingerprintGenerator` | [`Fingerprinting`](crate::Fingerprinting) | query included by default; JSON by value |
//! | `cacheHeaders` (none) | [`Recording`](crate::Recording) | all headers but those of one connection or session, unless listed |
//! | `errorPolicy` (`fail-closed`) | [`StoreFailure`](crate::StoreFailure), the same | – |
//! | `skip` | [`skip`](crate::idempotency::IdempotencyBuilder::skip) | sees the head alone |
//! | a handler that throws is recorded as `failed` | responses of 500 and above free the key | [`record_always()`](crate::Claim::record_always) records one |
//! | `checkAndLock`, `complete`, `fail` | [`Deduplicator::claim`](crate::dedup::Deduplicator::claim), [`Execution::complete`](crate::dedup::Execution::complete), [`Execution::fail`](crate::dedup::Execution::fail) | ended by their owner only |
//! | `get`, `delete` | [`Inspect`](crate::store::Inspect) | and a list |
//!
//! The response is recorded before it is sent; there it is recorded while it is sent, and after a crash in
//! between it runs again.
//!
//! # Coming from a hand-written Express middleware
//!
//! | what it usually does | what this crate does |
//! |---|---|
//! | `GET key`, then `next()`, then `SET key` on `finish` | one atomic claim first: of two requests at once one runs |
//! | `SET key NX` with the record's TTL as a lock | a lease of 30 s, renewed; a crash blocks a key for seconds, not for a day |
//! | the raw header as the Redis key | a digest, in a scope |
//! | patches `res.send` / `res.json` and keeps the JSON | status, headers and bytes, streams and files up to a cap |
//! | records only status 200, always responds with 200 | the recorded status |
//! | no check of the body, or 400 | 422 `key-reused` |
//! | records after `finish`, ignoring errors of Redis | recorded before it is sent; retried in the background when Redis is away |
//! | a client that disconnects ends it somewhere | the handler runs to completion and the retry gets the response |
