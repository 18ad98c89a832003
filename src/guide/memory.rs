//! The memory store in production: how large it must be, and what it reports.
//!
//! It forgets with its process. [SQLite](super::sqlite) does not, and needs nothing to be installed either.
//!
//! # Sizing
//!
//! Each key stays for its retention, 24 hours by default. A full [`MemoryStore`](crate::MemoryStore) refuses
//! new keys with 503 rather than forget one. So:
//!
//! ```text
//! entries = new keys per second × retention in seconds
//! bytes   = entries × (350 + size of the recorded headers and bodies)
//! ```
//!
//! The default of one million entries is 12 new keys a second for a day. 50 a second with a retention of
//! one hour are 180,000 entries; with responses of 500 bytes they take 153 MB, of which 90 MB count against
//! `max_bytes`:
//!
//! ```
//! use std::time::Duration;
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope};
//!
//! let store = MemoryStore::builder()
//!     .max_entries(250_000) // with some room for peaks
//!     .max_bytes(128 * 1024 * 1024) // beyond it the oldest responses are dropped, their keys stay
//!     .build()?;
//! let payments = Idempotency::builder(store.clone(), Scope::header("x-user"))
//!     .retention(Duration::from_secs(3600))
//!     .build()?;
//! # drop(payments);
//! assert_eq!(store.usage().max_entries, 250_000);
//! # Ok::<_, actix_web_idempotency::ConfigError>(())
//! ```
//!
//! An [`ApiLock`](crate::ApiLock) takes one entry of 200 bytes while a request runs.
//!
//! # Watching it fill
//!
//! * At 80 % and at 95 % of its entries the store logs a warning, `"the memory store holds"`, with the rate
//!   over the last minute and the time that is left at this rate, and the next claim reports
//!   [`IncidentKind::StoreFilling`](crate::event::IncidentKind::StoreFilling). Each level is reported once, and
//!   again after the store was empty.
//! * [`MemoryStore::usage`](crate::MemoryStore::usage) returns entries and bytes, with their limits. With the
//!   feature `metrics`, `metrics::memory_store("payments", &store)` sets gauges to them;
//!   `examples/metrics/grafana` has a panel and an alert.
//!
//! # One store for all workers
//!
//! `HttpServer::new` calls its closure once per worker. A store that is built inside of it is four stores on
//! four workers, and a duplicate on another worker runs again. Build it outside, and clone it in. The first
//! claim on a second store with the same [`key_prefix`](crate::idempotency::IdempotencyBuilder::key_prefix) is
//! a warning, `"two memory stores of this process"`, and
//! [`IncidentKind::SecondStore`](crate::event::IncidentKind::SecondStore).
