//! Complete solutions for common tasks: what to choose, why, and what can still go wrong.
//!
//! The code of each page runs as a test of this crate. It uses [`MemoryStore`](crate::MemoryStore), which needs
//! no server; with more than one process use a [`RedisStore`](crate::RedisStore).
//!
//! | task | who makes the key | with | what retries get |
//! |---|---|---|---|
//! | [payments], and other calls to external systems | the client | [`Idempotency`](crate::Idempotency) | the recorded response |
//! | [webhooks] that a provider delivers again | the provider | [`Idempotency`](crate::Idempotency) | the recorded response |
//! | [forms] that are sent twice | the page | [`Idempotency`](crate::Idempotency) | the first one's redirect |
//! | forms without a token, buttons that are pressed twice | no key | [`ApiLock`](crate::ApiLock), see [forms](forms#without-a-token) | 409 while the first runs |
//! | [a queue's consumer](queue) | the producer | [`Deduplicator`](crate::dedup::Deduplicator) | the result |
//! | [a batch import](batch) that is cut off and begun again | the rows | [`Deduplicator`](crate::dedup::Deduplicator) | the result, row by row |
//!
//! The most important question is: **what is the same in two tries and different in two operations?** A header
//! that a client makes once per operation, a provider's event id, a token in a page, a message id, a row's
//! number. A time, a session token or a fresh UUID per try is not. If there is nothing, only a lock is left.

pub mod batch;
pub mod forms;
pub mod payments;
pub mod queue;
pub mod webhooks;
