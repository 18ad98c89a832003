//! Whole solutions for common tasks: what to choose, why, and what can still go wrong.
//!
//! Each page has code that runs as a test of this crate. They use [`MemoryStore`](crate::MemoryStore),
//! which needs no server; with more than one process put a [`RedisStore`](crate::RedisStore) in its
//! place.
//!
//! | task | who makes the key | with | what repetitions get |
//! |---|---|---|---|
//! | [payments], and other calls to somebody else's system | the client | [`Idempotency`](crate::Idempotency) | the recorded answer |
//! | [webhooks] that a provider delivers again | the provider | [`Idempotency`](crate::Idempotency) | the recorded answer |
//! | [forms] that are sent twice | the page | [`Idempotency`](crate::Idempotency) | the first one's redirect |
//! | forms without a token, buttons that are pressed twice | nobody | [`ApiLock`](crate::ApiLock), see [forms](forms#without-a-token) | 409 while the first runs |
//! | [a queue's consumer](queue) | the producer | [`Deduplicator`](crate::dedup::Deduplicator) | the result |
//! | [a batch import](batch) that is cut off and begun again | the rows | [`Deduplicator`](crate::dedup::Deduplicator) | the result, row by row |
//!
//! What decides most is the question in the middle: **what is the same in two tries and different
//! in two operations?** A header that a client makes once per operation, a provider's event id, a
//! token in a page, a message id, a row's number. A time, a session token or a fresh UUID per try is
//! not. Where nothing is, only a lock is left.

pub mod batch;
pub mod forms;
pub mod payments;
pub mod queue;
pub mod webhooks;
