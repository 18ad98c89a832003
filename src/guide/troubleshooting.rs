//! Something looks odd: by symptom, the cause, how to see it, and what to do.
//!
//! | symptom | read |
//! |---|---|
//! | 409, again and again | [I get 409 for ever](#i-get-409-for-ever) |
//! | 422 | [every retry is 422](#every-retry-is-422) |
//! | no `Idempotent-Replayed`, and the handler runs each time | [nothing is ever replayed](#nothing-is-ever-replayed) |
//! | two runs at the same time | [handlers run twice](#handlers-run-twice) |
//! | 503, at start or later | [503](#503) |
//! | 500 | [500, and then what](#500-and-then-what) |
//! | 400, 401, 408, 413 | [400 and 401](#400-and-401), [408 and 413](#408-and-413) |
//! | a body that a client cannot read | [retries get a compressed body](#retries-get-a-compressed-body-that-they-did-not-ask-for) |
//! | a CORS error in the browser, no line in the access log | [CORS error instead of 409](#cors-error-instead-of-409) |
//! | it works here and not there | [works locally, not in production](#works-locally-not-in-production) |
//! | 409 after a long wait | [waiters time out](#waiters-time-out) |
//! | memory | [Redis memory grows](#redis-memory-grows) |
//! | `ApiLock` refuses too much, or too little | [users lock each other out](#users-lock-each-other-out), [it never refuses anything](#it-never-refuses-anything), [the next try is refused](#my-client-has-given-up-and-its-next-try-is-refused) |
//! | a test that hangs or flickers | [under test](#under-test) |
//! | it does not compile | [it does not compile](#it-does-not-compile) |
//!
//! # Where to look first
//!
//! 1. **The `type` in the response.** It ends in the name of a [problem], which says more than the status.
//!
//! ```
//! use actix_web::{App, HttpResponse, http::Method, test, web};
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope, store::{Inspect, Inspected}};
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let keys = Idempotency::builder(store.clone(), Scope::header("x-user"))
//!     .on_event(|event| eprintln!("{event:?}"))
//!     .build()?;
//! # let order = web::resource("/orders").wrap(keys.clone()).post(HttpResponse::Created);
//! # let app = test::init_service(App::new().service(order)).await;
//! # let request = test::TestRequest::post().uri("/orders");
//! # let request = request.insert_header(("x-user", "ann")).insert_header(("idempotency-key", "a-1"));
//! # test::call_service(&app, request.to_request()).await;
//! let key = keys.stored_key(Some("ann"), &Method::POST, "/orders", &"a-1".parse()?);
//! match store.look_up(&key).await? {
//!     None => println!("vacant: the next request runs"),
//!     Some(Inspected::Finished { status: Some(201), .. }) => println!("done"),
//!     Some(other) => panic!("not in this example: {other:?}"),
//! }
//! # assert!(matches!(store.look_up(&key).await?, Some(Inspected::Finished { .. })));
//! # Ok(())
//! # }
//! ```
//!
//! # I get 409 for ever
//!
//! The name of the problem decides how long "for ever" is. A [`Deduplicator`](crate::dedup::Deduplicator) says
//! the same with [`InFlight`](crate::dedup::DedupOutcome::InFlight),
//! [`OutcomeUnknown`](crate::dedup::DedupOutcome::OutcomeUnknown) and
//! [`NotStored`](crate::dedup::DedupOutcome::NotStored). A loop that claims a key again while it has its
//! [`Execution`](crate::dedup::Execution) gets `InFlight` because of itself.
//!
//! ## `in-flight`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | the original request still runs | the [`lease_left`](crate::event::RequestEvent::lease_left) of the event, or `left_ms` in the log, starts anew with each renewal | wait as long as `Retry-After` says. To let duplicates wait for the response instead: [`InFlight::Wait`](crate::InFlight::Wait) |
//! | its process was killed | `lease_left` runs down, 30 s at most | wait; a shorter [`lease`](crate::idempotency::IdempotencyBuilder::lease) if clients return sooner |
//! | its handler hangs | after 10 minutes `"is no longer renewed: its handler has run for too long"`, [`IncidentKind::Hung`](crate::event::IncidentKind::Hung) | a time-out in the handler, a shorter [`renew_for`](crate::idempotency::IdempotencyBuilder::renew_for) |
//! | its response is a stream that does not end | the original request is not reported yet | keep streams of events out: [`skip`](crate::idempotency::IdempotencyBuilder::skip) |
//! | it is done, and the store refuses to record it | `"is finished in the background"`; later `"could not be recorded"` | see [503](#503): a Redis out of memory, read-only, or away |
//!
//! ## `outcome-unknown`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | an owner crashed or panicked, with [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) | `"was cut off; its outcome is unknown"`; `examples/inspect` says `dead` | find out what was done, then [`force_release`](crate::store::Inspect::force_release) the key, or let the client use a new one. If this happens at deployments: [`drain_on`](crate::Idempotency::drain_on) |
//!
//! ## `response-not-stored`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | it is done; the response was over [`max_body`](crate::Recording::max_body), cut off, or not to be stored | at the original request: `"is done, and its response is not stored"`, [`Ending::Tombstone`](crate::event::Ending::Tombstone) | look the result up: `original_status` and `location` are in the body. A larger `max_body`, a smaller response |
//! | a [`MemoryStore`](crate::MemoryStore) ran out of bytes | many of them at once | [`max_bytes`](crate::store::memory::MemoryStoreBuilder::max_bytes) |
//! | the value in Redis is of another application, or of a newer release | `examples/inspect` says `unreadable` | see [mixed versions](super::upgrading#two-releases-at-once); delete what another application has written there, and give each another [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) |
//!
//! ## `busy`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | an [`ApiLock`](crate::ApiLock) whose first request still runs, or whose process was killed | `examples/inspect` says `lock, ends in ..`; 60 s at most, the [`ttl`](crate::api_lock::ApiLockBuilder::ttl) | see [users lock each other out](#users-lock-each-other-out) and [the next try is refused](#my-client-has-given-up-and-its-next-try-is-refused) |
//!
//! # Every retry is 422
//!
//! `key-reused`: the key was used before, with another request. The log says `"is answered with"` and the name,
//! the event [`Mismatch`](crate::event::Outcome::Mismatch). Either the client uses one key for two operations,
//! or its retry differs from its first try:
//!
//! | what differs | what to do |
//! |---|---|
//! | the client stamps each try (time, nonce, a counter) in body or query | [`Fingerprinting::from_fn`](crate::Fingerprinting::from_fn) the fields that matter |
//! | the body is `multipart/form-data`: its boundary is new each time | the same, or send the file on its own |
//! | JSON of more than 64 KiB, which counts by its bytes, with members in another order | the same |
//! | numbers are written differently: `1` and `1.0` | send what was sent before, not what was parsed and written again |
//! | the query: `?a=1&b=2` is not `?b=2&a=1` | the same |
//! | a proxy compresses the body, or changes `Content-Type` | configure the proxy, or compare the fields |
//! | a key that is an id of something that changes, such as `order-7` | a key per operation: `order-7-cancel`, or a UUID |
//! | half of the processes run with other settings | deploy the change to all; it ends with the retention of the old records |
//!
//! # Nothing is ever replayed
//!
//! Send the same request twice, one after the other, and look at the two events:
//!
//! | the events | cause | what to do |
//! |---|---|---|
//! | none | no key: the client sends none, or a proxy drops the header | [`required(true)`](crate::idempotency::IdempotencyBuilder::required) turns it into a 400 |
//! | none | the method is not guarded (`POST`, `PUT` and `PATCH` are), [`skip`](crate::idempotency::IdempotencyBuilder::skip), or it is wrapped around another route | [`methods`](crate::idempotency::IdempotencyBuilder::methods), or wrap it where the route is |
//! | two, both `Executed`, their `key` differs | the client makes a new key for each try, the scope changes (a token in place of the account), or the path does (`/orders/` is not `/orders`) | one key per operation; [choosing a scope](super#choosing-a-scope) |
//! | two, both `Executed`, with one `key`, `ending` is `Freed` | the response is not recorded: 500 and above, 401, 408, 425, 429, [`mark_transient`](crate::Claim::mark_transient), or marked as [`Transient`](crate::idempotency::Transient) | [choosing what is recorded](super#choosing-what-is-recorded) |
//! | the same, `ending` is `Recorded` | the record is gone: each worker has a [`MemoryStore`](crate::MemoryStore) of its own, Redis evicts, the retention is short | build the middleware outside of the closure; [`check`](crate::RedisStore::check) |
//! | the second is `Replayed` | it was replayed; the header is hidden from scripts | [CORS](super#cors) |
//!
//! # Handlers run twice
//!
//! | what you see | cause | what to do |
//! |---|---|---|
//! | `"runs unguarded"`, [`Outcome::Unguarded`](crate::event::Outcome::Unguarded) | the store is away, and [`FailOpen`](crate::StoreFailure::FailOpen) or [`silent(true)`](crate::api_lock::ApiLockBuilder::silent) was chosen | [503](#503) says why it is away; fail closed where it matters |
//! | [`attempt`](crate::event::RequestEvent::attempt) above 1, `"is taken over from a crashed owner"` | the first process crashed, or was suspended for longer than its lease | constraints and [fencing tokens](crate::Claim::fencing_token), or [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) |
//! | [`IncidentKind::LostLease`](crate::event::IncidentKind::LostLease), `"is lost while its handler runs"` | Redis failed over or lost its data, or an operator deleted the key | [what breaks it](crate::guide::promise#what-breaks-it) |
//! | after 60 s, only with [`ApiLock`](crate::ApiLock); `"was no longer claimed when its run ended"` | the handler outlives the [`ttl`](crate::api_lock::ApiLockBuilder::ttl), which is never renewed | a longer one |
//! | one after the other, only with `ApiLock` | it does not remember: when the first has ended, an equal request runs | [`Idempotency`](crate::Idempotency) |
//! | the first response was a 5xx, or the handler panicked | a failure frees the key, and the retry runs | let the handler find out what it did before, or [`record_always`](crate::Claim::record_always) |
//! | nothing; the keys differ | see [nothing is ever replayed](#nothing-is-ever-replayed) | |
//! | `"two memory stores of this process have claims with the prefix"`, [`IncidentKind::SecondStore`](crate::event::IncidentKind::SecondStore) | the [`MemoryStore`](crate::MemoryStore) is built inside of the closure that `HttpServer::new` calls for each worker | build it outside, clone it in. Two stores that are meant: a [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) each |
//! | nothing; one run in each of two processes | a [`MemoryStore`](crate::MemoryStore) is one process', two prefixes are two stores | [`RedisStore`](crate::RedisStore), one [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) |
//!
//! # 503
//!
//! `store-unavailable`: the store cannot be asked, and nothing ran. The log has the reason: the first refusal
//! of an outage as `"does not run"`, then one line a second as `"more requests do not run"` with their number,
//! and `"the store replies again"` at the end, each for one guard; with Redis also `"no connection to Redis"`.
//! A lost connection alone is no outage: the call is sent again on a new one. With `store.ping().await?` in
//! `main`, a process without its store does not start; [`check`](crate::RedisStore::check) also tries a lock.
//!
//! A reason that begins with `"no connection to Redis"` names the step that failed, the server and, if it took
//! too long, the limit: `resolving` a name, `connecting to` an address, `TLS handshake with` it, `AUTH at`,
//! `SELECT at`, `CLIENT SETINFO at` or `HELLO at` it, `ROLE at` the master that Sentinel names. With Sentinel
//! `asking sentinel 2 of 3` precedes it, and the application's pool says `waiting for a connection`.
//!
//! | reason | what to do |
//! |---|---|
//! | `resolving`, `connecting to` | address, port and firewall; in a Cluster or with Sentinel the address that the servers announce ([`cluster`](crate::RedisStore::cluster), [`sentinel`](crate::RedisStore::sentinel)) |
//! | `"the server is too old, use Redis 7.0 or newer (or Valkey)"` | that |
//! | `syntax error` | a Redis older than 7.0 that does not report its version, because it does not know `HELLO` |
//! | `AUTH at`, `HELLO at` with `"not done within"` | the server accepts connections and does not reply: it is frozen, blocked by a long command, or no Redis |
//! | `TLS handshake with` | a port that speaks no TLS; `UnknownIssuer`: [`certificate_authority`](crate::store::redis::RedisStoreBuilder#method.certificate_authority) |
//! | `NOAUTH`, `WRONGPASS`, `NOPERM` | [rights](super::redis#rights); sentinels have users of their own |
//! | `OOM` | [Redis memory grows](#redis-memory-grows) |
//! | `READONLY` | it is a replica: name the master, or use Sentinel |
//! | `"the connection gave no reply, and a new one works"` | twice within one call: something on the way drops connections faster than they are opened |
//! | `"the store did not reply in time"` | a server that is slow, or blocked by a long command (`SLOWLOG GET`); [`timeout`](crate::store::redis::RedisStoreBuilder::timeout) |
//! | `"calls are waiting for Redis already"` | more load than Redis can handle: [`max_in_flight`](crate::store::redis::RedisStoreBuilder::max_in_flight) |
//! | `"entries, and is full"` | a [`MemoryStore`](crate::MemoryStore), which said so in advance: `"the memory store holds"`, [`IncidentKind::StoreFilling`](crate::event::IncidentKind::StoreFilling). [Sizing](super::memory#sizing) |
//! | `"the transaction of"` a key `"is rolled back"` | the database refused it, or the claim was lost; the text has the cause, and the retry runs: [around the commit](super::exactly_once#what-happens-around-the-commit) |
//! | `"may or may not be committed"` | the reply to `COMMIT` was lost; the retry meets the truth: [in doubt](super::exactly_once#in-doubt) |
//! | none, and a 503 without a body | it is the handler's: [`Claim::fencing_token`](crate::Claim::fencing_token) found the claim lost or the store away |
//!
//! # 500, and then what
//!
//! | log | what happened | the key |
//! |---|---|---|
//! | `"has panicked"` | the handler panicked; the cause is above | free with [`Reexecute`](crate::ExpiredLease::Reexecute), so the retry runs. With `Refuse`: `in-flight` until the lease has expired, then `outcome-unknown` |
//! | nothing of this crate | the handler responded with 500 | free: the retry runs, and finds what was half done |
//! | `"a handler asks for its Claim and runs without one"` | a method or route that is not guarded, or a store that was away under `FailOpen` | none; wrap or select the route, or take `Option<Claim>` |
//! | `"the transaction cannot complete the claim"` | a commit on a guard whose store is elsewhere, of a nested transaction, a second time, or after the handler has ended; the text says which | free |
//! | `"cannot be written as JSON"` | a payload or fingerprint whose `Serialize` fails | none |
//! | `"an observer of events has panicked"` | only the observer; the request went on | as without it |
//!
//! # 400 and 401
//!
//! * `key-missing`: the operation is [`required`](crate::idempotency::IdempotencyBuilder::required) to have a
//!   key, or its handler takes an [`IdempotencyKey`](crate::IdempotencyKey) or a [`Claim`](crate::Claim); if a
//!   request may have none, take an `Option` of it.
//! * `key-invalid`: empty, longer than 255 characters, a space in it, two header lines, or quotes that do not
//!   close. Use a UUID.
//! * `scope-missing`, 401 although the user is logged in: the request has no scope. Its header is absent or
//!   repeated, or authentication is wrapped inside: in actix the last `wrap` is the outermost. The first one is
//!   a warning, `"wrap Idempotency inside of the"` authentication, and
//!   [`IncidentKind::ScopeMissing`](crate::event::IncidentKind::ScopeMissing).
//! * A 401 or 400 without a problem document comes from the application: an error of a closure.
//!
//! # 408 and 413
//!
//! The body is read before the handler runs: up to 2 MiB, with 30 seconds between two pieces. Beyond that the
//! responses are 413 `payload-too-large` and 408 `body-timeout`. For routes that receive uploads: `max_body`,
//! `body_timeout`, or `skip`. An [`ApiLock`](crate::ApiLock) can leave the body alone with
//! [`ignore_body`](crate::api_lock::ApiLockBuilder::ignore_body) and lock by the head.
//!
//! The first refusal of each guard is a warning, `"raise the limit of the guard if the application expects such
//! requests"`, that names the setting and its value, and
//! [`IncidentKind::BodyRefused`](crate::event::IncidentKind::BodyRefused). The `detail` of a 413 gives the
//! client the limit in bytes. A 413 without a problem document comes from an extractor: [limits of the
//! body](super::middlewares#limits-of-the-body).
//!
//! # Retries get a compressed body that they did not ask for
//!
//! A response was recorded with its `Content-Encoding`, because `Idempotency` is wrapped outside of
//! `Compress`. The first one is a warning, `"a response was recorded with a Content-Encoding"`, and
//! [`IncidentKind::EncodedResponse`](crate::event::IncidentKind::EncodedResponse). Wrap it inside of
//! `Compress`: [compression](super::middlewares#compression).
//!
//! # CORS error instead of 409
//!
//! The middleware is wrapped outside of `Cors`, so its responses have no CORS headers, and the browser hides
//! them. The same order keeps refusals out of the log. Wrap it innermost: inside authentication (so that
//! strangers lock nothing), `Compress`, `Cors` and `Logger`. In actix the last `wrap` is the outermost; the
//! whole is under [order](super::middlewares#order):
//!
//! ```
//! # use actix_web::{App, middleware::{Compress, Logger}};
//! # use actix_web_idempotency::{ApiLock, MemoryStore};
//! # let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
//! let app = App::new()
//!     .wrap(lock) // innermost, sees the authenticated request
//!     .wrap(Compress::default())
//!     .wrap(Logger::default()); // outermost, sees every refusal
//! # drop(app);
//! ```
//!
//! An error before the request is sent (`idempotency-key` is not allowed) is about the preflight: [CORS](super#cors).
//!
//! # Works locally, not in production
//!
//! | difference | effect | what to do |
//! |---|---|---|
//! | more workers, and the store is built inside of the closure that `HttpServer::new` calls for each | each worker has its own: one in eight is replayed; `"two memory stores of this process"` | build it outside, clone it in |
//! | more processes | each has its own [`MemoryStore`](crate::MemoryStore) | [`RedisStore`](crate::RedisStore) |
//! | a gateway | it drops `Idempotency-Key`, or does not set the header of the scope | configure it; 400 and 401 say which |
//! | a proxy that retries by itself, or gives up after 30 s | duplicates that the client does not know of; 504 while the handler goes on | this is the purpose of keys: the retry gets the response |
//! | a slower Redis, failovers | [503](#503) | [what survives what](crate::RedisStore#what-survives-what) |
//! | rolling deployments | [two releases at once](super::upgrading#two-releases-at-once) | |
//! | processes are killed before their handlers end | `in-flight` for 30 s, `attempt` 2 | [`drain_on`](crate::Idempotency::drain_on) in `HttpServer::shutdown_signal`, and `drain` after `run()` |
//!
//! # Waiters time out
//!
//! With [`InFlight::Wait`](crate::InFlight::Wait) a 409 `in-flight` comes at the end of the wait, or at once if
//! [too many](crate::Waiting::max_waiters) wait. The event's
//! [`wait_duration`](crate::event::RequestEvent::wait_duration) says which.
//!
//! * **The original request takes longer.** Wait longer, or respond with 202 and work in the background.
//! * **The client, or a proxy, gives up sooner**: the event is [`Abandoned`](crate::event::Outcome::Abandoned),
//!   or the 409 never arrives. Wait for less than the shortest time-out on the way.
//! * **Responses come late**, by up to a tenth of a second: `"no notifications from Redis"`. The user may not
//!   use channels ([rights](super::redis#rights)), or the connections are a pool's.
//! * **Each waiting duplicate runs in turn**: the responses are not recorded (5xx), so the next one runs.
//!
//! # Redis memory grows
//!
//! Every request with a new key leaves a record until its retention ends: keys a second × retention × size. Ten
//! a second for 24 h are 864,000 records; with a response of 500 bytes that is half a GB, without a body a
//! quarter. It stops growing after one retention. `redis-cli --scan --pattern 'idempotency:*'` or
//! `examples/inspect` lists them, `MEMORY USAGE <key>` weighs one.
//!
//! * A shorter [`retention`](crate::idempotency::IdempotencyBuilder::retention), for some responses
//!   [`retain_for`](crate::Claim::retain_for).
//! * Less of each: [`max_body`](crate::Recording::max_body) and
//!   [`only_headers`](crate::Recording::only_headers), [`omit_response`](crate::Claim::omit_response).
//! * A rate limit outside; clients that make a key per try leave a record per try.
//! * Not `maxmemory` with an eviction policy: what is evicted runs again. With `noeviction` a full Redis
//!   replies `OOM`, and requests get 503.
//! * Keys without a TTL are not of this crate.
//!
//! # Users lock each other out
//!
//! The payload of the [`ApiLock`](crate::ApiLock) does not name the caller. Two people who order one tea
//! at the same moment then send equal requests. Put the session, the token or the user into it.
//!
//! # It never refuses anything
//!
//! The store is built inside of the closure that `HttpServer::new` calls once per worker, so each worker has
//! its own [`MemoryStore`](crate::MemoryStore). Build the lock outside and clone it in. Or there is more than
//! one process: use [`RedisStore`](crate::RedisStore). Or the payload differs each time, by a timestamp or a
//! header such as `x-request-id`: then the event's key is new each time.
//!
//! **Numbers that differ count as equal** if a body was parsed into a `serde_json::Value` and put into the
//! payload, which turns large numbers into floats. [`RequestView::body`](crate::RequestView::body) keeps every
//! digit.
//!
//! # My client has given up, and its next try is refused
//!
//! The first request is still running. If a client closes its connection instead of resetting it, actix assumes
//! that it has only finished sending: the handler runs to completion, on HTTP/1 as on HTTP/2, and the lock
//! stays as long. `HttpServer::h1_allow_half_closed(false)` makes actix end the handler on HTTP/1.
//!
//! Under [`Idempotency`](crate::Idempotency) a handler always runs to completion; the next try is `in-flight`
//! until then and gets the response afterwards.
//!
//! # Under test
//!
//! Under `#[actix_web::test]` everything works as in a server, since each test has a runtime of its own:
//! [`RedisStore`](crate::RedisStore) opens a connection for it, and both end together. Two things differ.
//!
//! * `test::call_service` returns before the body has been read: a lock over a stream is held until
//!   the response is dropped or read to its end.
//! * Keys that are freed by a drop (a cancelled request, a stream) are freed by a background thread, in real
//!   time. In tests with paused time hold a [`BackgroundHere`](crate::testing::BackgroundHere) (feature
//!   `test-util`) to have it done on the test's own runtime.
//!
//! # It does not compile
//!
//! * "Lifetime may not live long enough": a payload, scope or key owns what it holds:
//!   `req.path().to_owned()`, not `req.path()`; `req.header("x").map(|value| value.into_owned())`;
//!   `json!` copies by itself, also [`req.body()`](crate::RequestView::body).
//! * "cannot name a scope or a key": a `Uuid`, or a type of the application's, becomes a text by
//!   `user.id.to_string()`.
//! * "type annotations needed" in a closure that uses `?`: end it with
//!   `Ok::<_, actix_web::Error>(..)`.
//! * `RedisStore` or `MemoryStore` is not found: the features `redis` and `memory` are on by default,
//!   and off with `default-features = false`.
//!
//! [problem]: crate::problem
