//! Each guarantee, what it rests on, what breaks it, and how we know.
//!
//! The short form: **never twice while the key is claimed, never a wrong replay, never stuck.**
//!
//! # The words
//!
//! * A **claim** gives a key one owner, for a **lease**, by the store's clock. Leases of running handlers are
//!   renewed in the background ([`Idempotency`](crate::Idempotency) and
//!   [`Deduplicator`](crate::dedup::Deduplicator); never those of an [`ApiLock`](crate::ApiLock), whose TTL is
//!   final).
//! * A claim has **expired** when its lease has passed: its owner is assumed to have crashed.
//! * A **record** is what is kept of work that has ended: the response, or a tombstone if the response could
//!   not be recorded. It stays until its **retention** ends.
//! * A **key** is the whole stored key: prefix, scope, method, path and what the client sent; for an
//!   [`ApiLock`](crate::ApiLock) the prefix and the payload.
//!
//! # What is promised
//!
//! | number | the guarantee | it rests on |
//! |---|---|---|
//! | 1 | **One at a time.** While a key is claimed, no other handler begins for it. | 1. The store decides in one step. 2. Its clock does not jump. 3. It loses no write. 4. A claim whose reply comes after the call's time limit counts as not made, and that limit is shorter than the lease |
//! | 2 | **Once.** After a response has been recorded, no handler begins for its key until the retention ends. A response that could not be recorded leaves a tombstone, for which the same is true. | 3, and: the store evicts nothing |
//! | 3 | **The same response.** A retry gets the recorded response, byte for byte, or learns why not. No response is sent before it is recorded, except streams and while the store is away. | 3 |
//! | 4 | **No other caller's response.** A replay has the same key and the same fingerprint. Another scope, method, path, query, media type or body is another operation or is refused. | SHA-256; a scope that identifies the caller |
//! | 5 | **Only its owner.** Only the token of a claim renews, releases and completes it; a late owner changes nothing that has another owner by then. | 1 |
//! | 6 | **Never stuck.** After a crash, a key stays claimed for one lease at most. In every other case (error, panic, dropped request, lost connection, time-out of any call) the claim ends with its work, as soon as the store can be reached. | the process lives, or the lease ends |
//! | 7 | **No unbounded wait.** Store calls (500 ms on Redis, and none while Redis refuses connections), bodies, waiting duplicates, retries and everything in the background are bounded in time and number. | |
//! | 8 | **To the end.** Under `Idempotency` and a `Deduplicator` the work runs to completion even if its client disconnects. A response in memory is recorded before its first byte is sent; if the store is away, it is sent even so, and recording is retried in the background for ten minutes. | the process lives |
//!
//! With [`PgStore`](crate::guide::postgres) or [`SqliteStore`](crate::guide::sqlite) and [`commit`](crate::guide::exactly_once) there is one more:
//!
//! | number | the guarantee | it rests on |
//! |---|---|---|
//! | 9 | **Exactly once, in one database.** The rows of one run per key are committed within the retention, together with the response that every retry receives. A run whose rows are not committed has left no row behind. | the lock of the key's row, and the transaction; no lease, no clock, no write that is replicated later than the rows |
//!
//! # What breaks it
//!
//! | what happens | breaks | what you see | what to do |
//! |---|---|---|---|
//! | **A handler writes outside of the transaction** that [`commit`](crate::guide::exactly_once) ends, or succeeds without a commit | 9 | [`IncidentKind::CommitForgotten`](crate::event::IncidentKind::CommitForgotten) in the second case | a row of an outbox; `claim.commit(tx, response)` |
//! | **A handler outlives its lease**: its process is suspended, its machine swaps, the store is away for so long that no renewal arrives | 1 | the next owner has a higher [`attempt`](crate::Claim::attempt); [`Claim::is_lost`](crate::Claim::is_lost) in the first, once it runs again | write the [fencing token](crate::Claim::fencing_token) with the data, and refuse lower ones; a unique constraint; [`ExpiredLease::Refuse`](crate::ExpiredLease) if no retry may run |
//! | **A lock's handler runs longer than the TTL** | 1 | an equal request runs beside it | a longer [`ttl`](crate::api_lock::ApiLockBuilder::ttl) |
//! | **Redis fails over** before the last writes were replicated | 1, 2, 3 | a key runs again; a response is not replayed | `min-replicas-to-write 1`; constraints for money. [What survives what](crate::RedisStore) |
//! | **Redis restarts** without its data | 1, 2, 3 | the same | `appendonly yes`; `appendfsync always` loses nothing, `everysec` a second |
//! | **Redis evicts keys** for want of memory | 1, 2 | the same, silently | `maxmemory-policy noeviction`; [`RedisStore::check`](crate::RedisStore::check) complains of any other |
//! | **The clock of Redis jumps forward** by more than what is left of a lease | 1, 2 | claims and records end early | let it be slewed, not stepped |
//! | **It jumps backward** | 6 | claims last longer, and fencing tokens fall | the same |
//! | **Keys are deleted**, or a second application uses the same prefix | 1, 2 | as after a restart | another [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix), and ACLs |
//! | **A process with the memory store ends** | 2, 3 | everything is forgotten | [SQLite](crate::guide::sqlite) on one machine, [`RedisStore`](crate::RedisStore) |
//! | **Processes disagree**: another prefix, scope, or fingerprint for the same requests | 1, 2, 4 | each has keys of its own; 422 where only the fingerprint differs | change them for all at once |
//! | **The store stays away** for longer than a lease while a response is to be recorded | 1, 2 | the response is sent, recording is retried for ten minutes, but the lease may expire meanwhile | constraints; `ExpiredLease::Refuse` |
//! | **Fail-open**: [`StoreFailure::FailOpen`](crate::StoreFailure), [`silent(true)`](crate::api_lock::ApiLockBuilder::silent) | 1, 2, 3, 9 | a warning for each request that runs unguarded | the default is to refuse |
//! | **A [shadow](crate::idempotency::IdempotencyBuilder::shadow)**, or one process of many that still is one | 1, 2, 3, 9 | [`RequestEvent::shadow`](crate::event::RequestEvent::shadow) | it only observes: [switch it off](crate::guide::rollout) |
//! | **A scope that does not identify the caller** | 4 | one client's key meets another's | [`Scope`](crate::Scope), and [replays and authentication](crate::guide#replays-and-authentication) |
//!
//! # What is not promised
//!
//! * **That a handler's work is undone or completed.** A handler that charges a card and then fails, or whose
//!   process crashes in between, has charged the card. A response with a status of 500 or above frees the key,
//!   so the retry runs: its work must find out what has been done already, and
//!   [`Claim::attempt`](crate::Claim::attempt) says that there may be something to find.
//! * **That a transaction is committed** by a layer that is wrapped outside. The response is recorded
//!   before: [transactions](crate::guide::transactions).
//! * **Exactly once, across systems.** That is impossible; possible is at most once per claim, here, and at
//!   least once, by the client's retries. A constraint or a fencing token where the effect is makes it once; so does
//!   [one transaction](crate::guide::exactly_once) where it is a row of the database that has the keys.
//! * **Order.** Two operations with different keys run in any order.
//! * **That a response outlives its retention**, or that a client is recognised that changes its key.
//!
//! # How we know
//!
//! | what | how |
//! |---|---|
//! | every order of events | `src/claim/model`: the decisions of the embedded store and of the guard, the very code, walked through exhaustively: three requests, two keys, lost and late calls, claims that are sent twice, drops, kills, expired leases, renewals, takeovers, a failover. Nine ways to break the guarantees, such as a release that does not look at its token, are put in, and each is found |
//! | every store does the same | [`store::conformance`](crate::store::conformance), and random sequences of operations on each store against a reading of the contract |
//! | the middlewares as a whole | requests by random plans in paused time: slow and failing stores, panics, clients that leave at any moment |
//! | real servers | the fault table of [`RedisStore`](crate::RedisStore), each row a test; and chaos: servers that are killed, connections reset, Redis paused and restarted under 2000 requests with retries, and the whole history checked afterwards |
//! | rows and records | `examples/payments_postgres` killed at each message that it sends to PostgreSQL for a payment, before and after; connections cut, sessions ended, the server killed, messages held back past the lease, at each message; suspended processes, failovers, a restored backup; 500 payments while processes, connections and PostgreSQL fail. For every key a row exists exactly when its record does |
//! | foreign bytes | properties in the tests, fuzz targets under `fuzz/` |
//! | hostile clients | the security review, `tests/it/security`: each threat with what holds against it and its test |
//!
//! `.ci/deep` goes further in each of them than the tests do.
