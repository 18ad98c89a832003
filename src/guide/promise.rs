//! What is promised, what each promise rests on, and what breaks it.
//!
//! The short form: **never twice while the claim is held, never a wrong replay, never stuck.**
//!
//! # The words
//!
//! * A **claim** holds a key for one owner, for a **lease**, by the store's clock. The background
//!   renews the leases of handlers that run ([`Idempotency`](crate::Idempotency) and
//!   [`Deduplicator`](crate::dedup::Deduplicator); never of an [`ApiLock`](crate::ApiLock), whose TTL is final).
//! * A claim whose lease has passed has **lapsed**: its owner is taken for dead.
//! * A **record** is what is left of work that has ended: the answer, or a tombstone where the answer
//!   could not be kept. It stands until its **retention** ends.
//! * A **key** is the whole stored key: prefix, scope, method, path and what the client sent; of an
//!   [`ApiLock`](crate::ApiLock) the prefix and the payload.
//!
//! # What is promised
//!
//! | | the promise | it rests on |
//! |---|---|---|
//! | 1 | **One at a time.** While a claim holds a key, nobody else's handler begins for it. | 1. The store decides in one step. 2. Its clock does not leap. 3. It loses no write. 4. A claim that is answered after the call's time-out counts as not made, and that time-out is shorter than the lease |
//! | 2 | **Once.** After an answer has been recorded, no handler begins for its key until the retention ends. An answer that could not be kept leaves a tombstone, which keeps this promise too. | 3, and: the store evicts nothing |
//! | 3 | **The same answer.** Whoever repeats a request is told the recorded answer, to the byte, or is told why not. Nobody is told an answer before it is recorded, but for streams and while the store is away. | 3 |
//! | 4 | **Nobody else's answer.** A replay has the same key and the same fingerprint. What differs in scope, method, path, query, media type or body is another operation or is refused. | SHA-256; a scope that says who asks |
//! | 5 | **Only its owner.** A claim is renewed, released and completed by who holds its token, and by nobody else; a first that comes too late changes nothing that is another's by then. | 1 |
//! | 6 | **Never stuck.** A key is held without an end to its work in sight for one lease at most, by a process that was killed. In every other case (error, panic, dropped request, lost connection, time-out at any call) the claim ends when its work does, as soon as the store can be reached. | the process lives, or the lease ends |
//! | 7 | **No wait without end.** Store calls, bodies, waiters, retries and everything in the background are bounded in time and number. | |
//!
//! # What breaks it
//!
//! | what happens | which | what you see | what to do |
//! |---|---|---|---|
//! | **A handler outlives its lease**: its process is suspended, its machine swaps, the store cannot be reached for so long that no renewal arrives | 1 | the next owner has a higher [`attempt`](crate::Claim::attempt); [`Claim::is_lost`](crate::Claim::is_lost) in the first, once it runs again | give what you write down the [fence](crate::Claim::fencing_token), and refuse lower ones; a unique constraint; [`ExpiredLease::Refuse`](crate::ExpiredLease) where nobody may follow |
//! | **A lock's handler runs longer than the TTL** | 1 | an equal request runs beside it | a longer [`ttl`](crate::api_lock::ApiLockBuilder::ttl) |
//! | **Redis fails over** before the last writes were replicated | 1, 2, 3 | a key runs again; an answer is not replayed | `min-replicas-to-write 1`; constraints where the money is. [What survives what](crate::RedisStore) |
//! | **Redis restarts** without its data | 1, 2, 3 | the same | `appendonly yes`; `appendfsync always` loses nothing, `everysec` a second |
//! | **Redis evicts keys** for want of memory | 1, 2 | the same, silently | `maxmemory-policy noeviction`; [`RedisStore::check`](crate::RedisStore::check) complains of any other |
//! | **The clock of Redis leaps forward** by more than what is left of a lease | 1, 2 | claims and records end early | let it be slewed, not stepped |
//! | **It leaps backward** | 6 | claims last longer, and fences fall | the same |
//! | **Somebody deletes keys**, or a second application uses the same prefix | 1, 2 | as after a restart | [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) and ACLs of their own |
//! | **A process with the memory store ends** | 2, 3 | it knows nothing of what was before | [`RedisStore`](crate::RedisStore) |
//! | **Processes disagree**: another prefix, scope, or fingerprint for the same requests | 1, 2, 4 | each has keys of its own; 422 where only the fingerprint differs | change them for all at once |
//! | **The store stays away** for longer than a lease while an answer is to be recorded | 1, 2 | the answer goes out, its recording is tried for ten minutes, but its lease may lapse meanwhile | constraints; `ExpiredLease::Refuse` |
//! | **Fail-open**: [`StoreFailure::FailOpen`](crate::StoreFailure), [`silent(true)`](crate::api_lock::ApiLockBuilder::silent) | 1, 2, 3 | a warning for each request that runs unguarded | the default is to refuse |
//! | **A [shadow](crate::idempotency::IdempotencyBuilder::shadow)**, or one process of many that still is one | 1, 2, 3 | [`RequestEvent::shadow`](crate::event::RequestEvent::shadow) | it only watches: [switch it on](crate::guide::rollout) |
//! | **A scope that is not who asks** | 4 | one client's key meets another's | [`Scope`](crate::Scope), and [replays and authentication](crate::guide#replays-and-authentication) |
//!
//! # What is not promised
//!
//! * **That what a handler did is undone or done to the end.** A handler that charges a card and then
//!   fails, or whose process dies in between, has charged the card. An answer with a status of 500
//!   or above frees the key, so the retry runs: its work must find out what has been done already,
//!   and [`Claim::attempt`](crate::Claim::attempt) says that there may be something to find.
//! * **That a transaction is committed** by a layer that is wrapped outside. The response is recorded
//!   before: [transactions](crate::guide::transactions).
//! * **Exactly once, across systems.** Nobody can; what one can have is at most once per claim, here,
//!   and at least once, by the client's retries. A constraint or a fence where the effect is makes
//!   once of the two.
//! * **Order.** Two operations with different keys run in any order.
//! * **That an answer outlives its retention**, or that a client which changes its key is recognised.
//!
//! # How we know
//!
//! | | |
//! |---|---|
//! | every order of events | `src/claim/model`: the decisions of the embedded store and of the guard, the very code, walked through exhaustively: three requests, two keys, lost and late calls, claims that are sent twice, drops, kills, lapses, renewals, takeovers, a failover. Nine ways to break the promise, such as a release that does not look at its token, are put in, and each is found |
//! | every store does the same | [`store::conformance`](crate::store::conformance), and random sequences of operations on each store against a reading of the contract |
//! | the middlewares as a whole | requests by random plans in paused time: slow and failing stores, panics, clients that leave at any moment |
//! | real servers | the fault table of [`RedisStore`](crate::RedisStore), each row a test; and chaos: servers that are killed, connections reset, Redis paused and restarted under 2000 requests with retries, and the whole history checked afterwards |
//! | foreign bytes | properties in the tests, fuzz targets under `fuzz/` |
//! | hostile clients | the security review, `tests/it/security`: each threat with what holds against it and its test |
//!
//! `.ci/deep` goes further in each of them than the tests do.
