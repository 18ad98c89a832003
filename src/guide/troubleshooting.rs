//! Something looks odd: by what is seen, why it is so, how to see it, and what to do.
//!
//! | seen | |
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
//! 1. **The `type` in the answer.** It ends in the name of a [problem], which says more than the status.
//! 2. **The log.** `RUST_LOG=actix_web_idempotency=debug` shows one line for each refusal and replay;
//!    warnings are about the store and about handlers. Keys in it are those of the store.
//! 3. **The event.** `on_event(|event| eprintln!("{event:?}"))` tells all that is known of a request:
//!    its [`outcome`](crate::event::RequestEvent::outcome), its key, what became of it. A request of
//!    which no event is told has passed untouched.
//! 4. **The key in the store**, with [`Inspect`](crate::store::Inspect): `examples/inspect` in the
//!    repository from the command line, or
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
//! The name of the problem decides how long "for ever" is. [`Deduplicator`](crate::dedup::Deduplicator) says the same with
//! [`InFlight`](crate::dedup::DedupOutcome::InFlight), [`OutcomeUnknown`](crate::dedup::DedupOutcome::OutcomeUnknown) and
//! [`NotStored`](crate::dedup::DedupOutcome::NotStored). A loop that claims a key again while it holds its
//! [`Execution`](crate::dedup::Execution) is told `InFlight` by itself.
//!
//! ## `in-flight`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | the first one still runs | the [`lease_left`](crate::event::RequestEvent::lease_left) of the event, or `left_ms` in the log, starts anew with each renewal | wait as long as `Retry-After` says. To let requests wait for the answer instead: [`InFlight::Wait`](crate::InFlight::Wait) |
//! | its process was killed | `lease_left` runs down, 30 s at most | wait; a shorter [`lease`](crate::idempotency::IdempotencyBuilder::lease) if clients return sooner |
//! | its handler hangs | after 10 minutes `"is not renewed any longer: its handler has run for too long"`, [`IncidentKind::Hung`](crate::event::IncidentKind::Hung) | a time-out in the handler, a shorter [`renew_for`](crate::idempotency::IdempotencyBuilder::renew_for) |
//! | its answer is a stream that does not end | no event is told of the first one yet | keep streams of events out: [`skip`](crate::idempotency::IdempotencyBuilder::skip) |
//! | it is done, and the store refuses to record it | `"is settled in the background"`; later `"could not be recorded"` | see [503](#503): a Redis out of memory, read-only, or away |
//!
//! ## `outcome-unknown`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | an owner died or panicked, with [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) | `"was cut off; nobody knows what it has done"`; `examples/inspect` says `dead` | find out what was done, then [`force_release`](crate::store::Inspect::force_release) the key, or have the client use a new one. If this happens at deployments: [`drain`](crate::Idempotency::drain) |
//!
//! ## `response-not-stored`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | it is done; the answer was over [`max_body`](crate::Recording::max_body), cut off, or not to be stored | at the first one: `"is done, and its answer is not kept"`, [`Ending::Tombstone`](crate::event::Ending::Tombstone) | look the result up: `original_status` and `location` are in the body. A larger `max_body`, a smaller answer |
//! | a [`MemoryStore`](crate::MemoryStore) was short of bytes | many of them at once | [`max_bytes`](crate::store::memory::MemoryStoreBuilder::max_bytes) |
//! | the value in Redis is not ours, or of a newer release | `examples/inspect` says `unreadable` | see [mixed versions](super::upgrading#two-releases-at-once); delete what another application has written there, and give each a [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) of its own |
//!
//! ## `busy`
//!
//! | cause | how to see it | what to do |
//! |---|---|---|
//! | an [`ApiLock`](crate::ApiLock) whose first request still runs, or whose process was killed | `examples/inspect` says `lock, ends in ..`; 60 s at most, the [`ttl`](crate::api_lock::ApiLockBuilder::ttl) | see [users lock each other out](#users-lock-each-other-out) and [the next try is refused](#my-client-has-given-up-and-its-next-try-is-refused) |
//!
//! # Every retry is 422
//!
//! `key-reused`: the key came before, with another request. The log says `"is answered with"` and the
//! name, the event [`Mismatch`](crate::event::Outcome::Mismatch). Either the client uses one key for
//! two operations, or its retry differs from its first try:
//!
//! | what differs | what to do |
//! |---|---|
//! | the client stamps each try (time, nonce, a counter) in body or query | [`Fingerprinting::from_fn`](crate::Fingerprinting::from_fn) the fields that matter |
//! | the body is `multipart/form-data`: its boundary is new each time | the same, or send the file on its own |
//! | JSON of more than 64 KiB, which counts by its bytes, with members in another order | the same |
//! | numbers are written differently: `1` and `1.0` | send what was sent before, not what was parsed and written again |
//! | the query: `?a=1&b=2` is not `?b=2&a=1` | the same |
//! | a proxy compresses the body, or changes `Content-Type` | let it pass, or `by` the fields |
//! | a key that is an id of something that changes, such as `order-7` | a key per operation: `order-7-cancel`, or a UUID |
//! | half of the processes run with other settings | deploy the change to all; it passes when the retention of the old records has |
//!
//! # Nothing is ever replayed
//!
//! Send the same request twice, one after the other, and look at the two events:
//!
//! | the events | cause | what to do |
//! |---|---|---|
//! | none | no key: the client sends none, or a proxy drops the header | [`required()`](crate::idempotency::IdempotencyBuilder::required) turns it into a 400 |
//! | none | the method is not guarded (`POST`, `PUT` and `PATCH` are), [`skip`](crate::idempotency::IdempotencyBuilder::skip), or it is wrapped around another route | [`methods`](crate::idempotency::IdempotencyBuilder::methods), or wrap it where the route is |
//! | two, both `Executed`, their `key` differs | the client makes a new key for each try, the scope changes (a token in place of the account), or the path does (`/orders/` is not `/orders`) | one key per operation; [choosing a scope](super#choosing-a-scope) |
//! | two, both `Executed`, with one `key`, `ending` is `Freed` | the answer is not recorded: 500 and above, 401, 408, 425, 429, [`mark_transient`](crate::Claim::mark_transient), or marked as [`Transient`](crate::idempotency::Transient) | [choosing what is recorded](super#choosing-what-is-recorded) |
//! | the same, `ending` is `Recorded` | the record is gone: each worker has a [`MemoryStore`](crate::MemoryStore) of its own, Redis evicts, the retention is short | build the middleware outside of the closure; [`check`](crate::RedisStore::check) |
//! | the second is `Replayed` | it was replayed; the header is hidden from scripts | [CORS](super#cors) |
//!
//! # Handlers run twice
//!
//! | how it shows | cause | what to do |
//! |---|---|---|
//! | `"runs unguarded"`, [`Outcome::Unguarded`](crate::event::Outcome::Unguarded) | the store is away, and [`FailOpen`](crate::StoreFailure::FailOpen) or [`silent(true)`](crate::api_lock::ApiLockBuilder::silent) was chosen | [503](#503) says why it is away; fail closed where it matters |
//! | [`attempt`](crate::event::RequestEvent::attempt) above 1, `"is taken over from an owner that died"` | the first one's process died, or was suspended for longer than its lease | constraints and [fences](crate::Claim::fencing_token), or [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) |
//! | [`IncidentKind::LostLease`](crate::event::IncidentKind::LostLease), `"is lost while its handler runs"` | Redis failed over or lost its data, or somebody deleted the key | [what breaks it](crate::guide::promise#what-breaks-it) |
//! | after 60 s, only with [`ApiLock`](crate::ApiLock); `"was no longer held when its run ended"` | the handler outlives the [`ttl`](crate::api_lock::ApiLockBuilder::ttl), which nobody renews | a longer one |
//! | one after the other, only with `ApiLock` | it does not remember: when the first is done, an equal request runs | [`Idempotency`](crate::Idempotency) |
//! | the first was answered with a 5xx, or panicked | a failure frees the key, and the retry runs | make the handler find out what it did before, or [`record_always`](crate::Claim::record_always) |
//! | nothing; the keys differ | see [nothing is ever replayed](#nothing-is-ever-replayed) | |
//! | `"two memory stores of this process have claims with the prefix"`, [`IncidentKind::SecondStore`](crate::event::IncidentKind::SecondStore) | the [`MemoryStore`](crate::MemoryStore) is built inside of the closure that `HttpServer::new` calls for each worker | build it outside, clone it in. Two stores that are meant: a [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) each |
//! | nothing; one run in each of two processes | a [`MemoryStore`](crate::MemoryStore) is one process', two prefixes are two stores | [`RedisStore`](crate::RedisStore), one [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) |
//!
//! # 503
//!
//! `store-unavailable`: the store cannot be asked, and nothing ran. The log has the reason: the first
//! refusal of an outage as `"does not run"`, then one line a second as `"more requests do not run"` with
//! their number, and `"the store answers again"` at the end, each for one guard; with Redis also
//! `"no connection to Redis"`. A lost connection alone is no outage: the call is sent again on a new one.
//! `store.ping().await?` in `main` makes a process not start that would answer nothing else, and
//! [`check`](crate::RedisStore::check) also tries what a lock does.
//!
//! A reason that begins with `"no connection to Redis"` names the step that failed, the server and, when it
//! took too long, the limit: `resolving` a name, `connecting to` an address, `TLS handshake with` it, `AUTH at`,
//! `SELECT at`, `CLIENT SETINFO at` or `HELLO at` it, `ROLE at` the master that Sentinel names. With Sentinel
//! `asking sentinel 2 of 3` stands before that, and a pool of the application's says
//! `waiting for a connection`.
//!
//! | the reason | what to do |
//! |---|---|
//! | `resolving`, `connecting to` | address, port and firewall; in a Cluster or with Sentinel the address that the servers announce ([`cluster`](crate::RedisStore::cluster), [`sentinel`](crate::RedisStore::sentinel)) |
//! | `"the server is too old, use Redis 7.0 or newer (or Valkey)"` | that |
//! | `syntax error` | a Redis older than 7.0 that does not tell its version, because it does not know `HELLO` |
//! | `AUTH at`, `HELLO at` with `"not done within"` | the server accepts connections and does not answer: it is frozen, blocked by a long command, or no Redis |
//! | `TLS handshake with` | a port that speaks no TLS; `UnknownIssuer`: [`certificate_authority`](crate::store::redis::RedisStoreBuilder#method.certificate_authority) |
//! | `NOAUTH`, `WRONGPASS`, `NOPERM` | [rights](super::redis#rights); with Sentinel the sentinels have users of their own |
//! | `OOM` | [Redis memory grows](#redis-memory-grows) |
//! | `READONLY` | it is a replica: name the master, or use Sentinel |
//! | `"the connection gave no reply, and a new one works"` | twice within one call: something on the way drops connections faster than they are opened |
//! | `"the store did not answer in time"` | a server that is slow, or blocked by a long command (`SLOWLOG GET`); [`timeout`](crate::store::redis::RedisStoreBuilder::timeout) |
//! | `"calls are waiting for Redis already"` | more load than it takes: [`max_in_flight`](crate::store::redis::RedisStoreBuilder::max_in_flight) |
//! | `"entries, and is full"` | a [`MemoryStore`](crate::MemoryStore), which said so in advance: `"the memory store holds"`, [`IncidentKind::StoreFilling`](crate::event::IncidentKind::StoreFilling). [Sizing](super::memory#sizing) |
//! | none, and a 503 without a body | it is the handler's: [`Claim::fencing_token`](crate::Claim::fencing_token) found the claim lost or the store away |
//!
//! # 500, and then what
//!
//! | the log | what happened | the key |
//! |---|---|---|
//! | `"has panicked"` | the handler has; who looks for the cause finds it above | free with [`Reexecute`](crate::ExpiredLease::Reexecute), so the retry runs. With `Refuse`: `in-flight` until the lease has lapsed, then `outcome-unknown` |
//! | nothing of this crate's | the handler answered 500 | free: the retry runs, and finds what was done half |
//! | `"a handler asks for its Claim and runs without one"` | a method or route that is not guarded, or a store that was away under `FailOpen` | none; wrap or select the route, or take `Option<Claim>` |
//! | `"cannot be written as JSON"` | a payload or fingerprint whose `Serialize` fails | none |
//! | `"an observer of events has panicked"` | only the observer; the request went on | as without it |
//!
//! # 400 and 401
//!
//! * `key-missing`: the operation is [`required`](crate::idempotency::IdempotencyBuilder::required) to have a key, or its
//!   handler takes an [`IdempotencyKey`](crate::IdempotencyKey) or a [`Claim`](crate::Claim); where a request
//!   may come without one, take an `Option` of it.
//! * `key-invalid`: empty, longer than 255 characters, a space in it, two header lines, or quotes that
//!   do not close. A UUID serves.
//! * `scope-missing`, 401 although the user is logged in: the scope finds nobody. Its header is absent
//!   or repeated, or authentication is wrapped inside: in actix the last `wrap` is outermost. The first
//!   one is a warning, `"wrap Idempotency inside of the"` authentication, and
//!   [`IncidentKind::ScopeMissing`](crate::event::IncidentKind::ScopeMissing).
//! * A 401 or 400 that is no problem document is the application's own: an error of a closure.
//!
//! # 408 and 413
//!
//! The body is read before the handler runs: up to 2 MiB, with 30 seconds between two pieces, beyond
//! which the answers are 413 `payload-too-large` and 408 `body-timeout`. For routes that take uploads:
//! `max_body`, `body_timeout`, or `skip`. An [`ApiLock`](crate::ApiLock) can leave the body alone with
//! [`ignore_body`](crate::api_lock::ApiLockBuilder::ignore_body) and lock by what is in the head.
//!
//! The first refusal of each guard is a warning, `"raise the limit of the guard if the application
//! expects such requests"`, that names the setting and its value, and
//! [`IncidentKind::BodyRefused`](crate::event::IncidentKind::BodyRefused). The `detail` of a 413 tells the
//! client the limit in bytes. A 413 that is no problem document comes from an extractor:
//! [limits of the body](super::middlewares#limits-of-the-body).
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
//! The middleware is wrapped outside of `Cors`, so its answers have no CORS headers; the browser hides
//! them. The same order keeps refusals out of the log. Wrap it innermost: inside authentication
//! (strangers lock nothing), `Compress`, `Cors` and `Logger`. In actix the last `wrap` is the
//! outermost; the whole is under [order](super::middlewares#order):
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
//! | a gateway | it drops `Idempotency-Key`, or does not set the header of the scope | let it pass; 401 and 400 say which |
//! | a proxy that retries by itself, or gives up after 30 s | duplicates of which the client knows nothing; 504 while the handler goes on | that is what keys are for: the retry gets the answer |
//! | a slower Redis, failovers | [503](#503) | [what survives what](crate::RedisStore#what-survives-what) |
//! | rolling deployments | [two releases at once](super::upgrading#two-releases-at-once) | |
//! | processes are killed before their handlers end | `in-flight` for 30 s, `attempt` 2 | [`drain`](crate::Idempotency::drain) in `HttpServer::shutdown_signal`, and again after `run()` |
//!
//! # Waiters time out
//!
//! With [`InFlight::Wait`](crate::InFlight::Wait) a 409 `in-flight` comes after the time that was
//! given, or at once when [too many](crate::Waiting::max_waiters) wait. The event's
//! [`wait_duration`](crate::event::RequestEvent::wait_duration) says which.
//!
//! * **The first takes longer.** Wait longer, or answer 202 and work in the background.
//! * **The client, or a proxy, gives up sooner**: the event is
//!   [`Abandoned`](crate::event::Outcome::Abandoned), or the 409 never arrives. Wait for less than the
//!   shortest time-out on the way.
//! * **Answers come late**, by up to a tenth of a second: `"no wake-ups from Redis"`. The user may not
//!   use channels ([rights](super::redis#rights)), or the connections are a pool's.
//! * **Each waiter runs in turn**: the first one's answers are not recorded (5xx), so the next takes over.
//!
//! # Redis memory grows
//!
//! Every request with a new key leaves a record until its retention ends: keys a second × retention ×
//! size. Ten a second for 24 h are 864,000 records; with an answer of 500 bytes that is half a GB, with
//! none a quarter. It stops growing after one retention. `redis-cli --scan --pattern 'idempotency:*'`
//! or `examples/inspect` lists them, `MEMORY USAGE <key>` weighs one.
//!
//! * A shorter [`retention`](crate::idempotency::IdempotencyBuilder::retention), for some answers
//!   [`retain_for`](crate::Claim::retain_for).
//! * Less of each: [`max_body`](crate::Recording::max_body) and
//!   [`only_headers`](crate::Recording::only_headers), [`omit_response`](crate::Claim::omit_response).
//! * A rate limit outside; clients that make a key per try leave a record per try.
//! * Not `maxmemory` with an eviction policy: what is evicted runs again. With `noeviction` a full Redis
//!   answers `OOM`, and requests get 503.
//! * Keys without a TTL are not ours: all of ours have one.
//!
//! # Users lock each other out
//!
//! The payload of the [`ApiLock`](crate::ApiLock) does not name the caller. Two people who order one tea
//! at the same moment then send equal requests. Put the session, the token or the user into it.
//!
//! # It never refuses anything
//!
//! The store is built inside of the closure that `HttpServer::new` calls once per worker: each worker
//! then has a [`MemoryStore`](crate::MemoryStore) of its own. Build the lock outside and clone it in. Or
//! there is more than one process: use [`RedisStore`](crate::RedisStore). Or the payload differs each
//! time, by a timestamp or a header such as `x-request-id`: the event's key is then new each time.
//!
//! **Numbers that differ count as equal** where a body was parsed into a `serde_json::Value` and put
//! into the payload: it turns large numbers into floats.
//! [`RequestView::body`](crate::RequestView::body) keeps every digit.
//!
//! # My client has given up, and its next try is refused
//!
//! The first is still running. A client that closes its connection, rather than resetting it, looks to
//! actix as if it had only finished sending: the handler runs to its end, on HTTP/1 as on HTTP/2, and the
//! lock with it. `HttpServer::h1_allow_half_closed(false)` makes actix end the handler on HTTP/1.
//!
//! Under [`Idempotency`](crate::Idempotency) a handler always runs to its end; the next try is
//! `in-flight` until then and gets the answer afterwards.
//!
//! # Under test
//!
//! Under `#[actix_web::test]` everything works as in a server, since each test has a runtime of
//! its own: [`RedisStore`](crate::RedisStore) opens a connection for it, and both go together. Two
//! things differ.
//!
//! * `test::call_service` returns before the body has been read: a lock over a stream is held until
//!   the response is dropped or read to its end.
//! * What is freed by a drop (a cancelled request, a stream) is freed by a background thread, in real
//!   time; in tests with paused time hold a [`BackgroundHere`](crate::testing::BackgroundHere) (feature
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
