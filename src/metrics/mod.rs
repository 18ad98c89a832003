//! Counts what happens, for Prometheus and whatever else stands behind the
//! [`metrics`](https://docs.rs/metrics) facade (feature `metrics`).
//!
//! ```
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope, metrics};
//!
//! # fn main() -> Result<(), actix_web_idempotency::ConfigError> {
//! let payments = Idempotency::builder(MemoryStore::new(), Scope::header("x-user"))
//!     .on_event(metrics::observer("payments"))
//!     .build()?;
//! # drop(payments);
//! # Ok(())
//! # }
//! ```
//!
//! Who wants to hear of events as well calls it: `let count = metrics::observer("payments");` and
//! `.on_event(move |event| { count(event); .. })`.
//!
//! # What is counted
//!
//! Each has the label `guard`, the name that [`observer`] was given, and at most one more.
//!
//! | | label | |
//! |---|---|---|
//! | `idempotency_requests_total` | `outcome` | requests, by [`Outcome`](crate::event::Outcome) |
//! | `idempotency_refusals_total` | `problem` | requests that were told a [problem](crate::problem) |
//! | `idempotency_takeovers_total` | | runs whose owner before them had died |
//! | `idempotency_cut_off_total` | | handlers that were cut off before they had answered, by a client that left a lock or by a panic |
//! | `idempotency_endings_total` | `ending` | keys, by what has become of them: [`Ending`](crate::event::Ending) |
//! | `idempotency_lost_total` | | runs whose key was another's when they ended |
//! | `idempotency_store_errors_total` | `error` | requests and incidents that met a failing store |
//! | `idempotency_incidents_total` | `incident` | claims, by what went wrong in the background: [`IncidentKind`](crate::event::IncidentKind) |
//! | `idempotency_request_duration_seconds` | `outcome` | time in the middleware, handler and wait included |
//! | `idempotency_handler_duration_seconds` | | time that handlers took to answer |
//! | `idempotency_store_duration_seconds` | `step` | time that the store took to be asked (`claiming`) and told (`settling`) |
//! | `idempotency_wait_duration_seconds` | | time that duplicates waited for the first one |
//! | `idempotency_recorded_body_bytes` | | bodies that are recorded |
//!
//! [`memory_store`] sets these for a [`MemoryStore`](crate::MemoryStore), with the label `store`:
//!
//! | | label | |
//! |---|---|---|
//! | `idempotency_memory_entries` | | claims and records |
//! | `idempotency_memory_entries_max` | | the most of them; a full store refuses new keys |
//! | `idempotency_memory_bytes` | | bytes of recorded headers and bodies |
//! | `idempotency_memory_bytes_max` | | the most of them; beyond that the oldest bodies are dropped |
//!
//! [`name`] has these names as constants. All values of labels are names that this crate knows, at
//! most fourteen of one label; what a client sends is never one. A guard has 45 counters, and up to 16
//! histograms. Not counted are the sizes of request bodies and the statuses of answers, which metrics
//! of all requests know as well, and what is of use for one request only: its key, and the time that
//! the lease in its way has left.
//!
//! A [shadow](crate::guide::rollout) counts what it would have done. Give its guard a name that says so, such
//! as `payments-shadow`: then dashboards tell it from one that refuses.
//!
//! # The recorder
//!
//! Install it before guards are built: then all counters are there, as zeroes, from the first scrape
//! on, and an alert sees the first incident after a start. (`increase` needs a value before it.) A
//! recorder that is installed later counts from then on. No handle into it is kept, so one that
//! forgets what is idle counts on when it is used again.
//!
//! Histograms are the recorder's business: the Prometheus exporter makes summaries of them, which
//! cannot be added up over processes, unless it is given buckets. `examples/metrics` in the repository
//! sets some, does the exporter's upkeep, without which samples pile up while nobody scrapes, serves all
//! on `GET /metrics`, and has a Grafana dashboard and alerts.
//!
//! # What it costs
//!
//! Into the Prometheus exporter about 1.2 µs for a first run, which is counted in seven series, and half
//! of that for a replay, which is in three; without a recorder less than a tenth of a microsecond. The
//! quarter of a microsecond that any observer costs comes on top. Nothing is allocated for labels; most
//! of it is the recorder's search for the series. A handle for each would save that, and count into
//! nothing when the recorder comes later or has forgotten it.

mod catalogue;
#[cfg(feature = "memory")]
mod memory;
mod metric;
pub mod name;
mod series;
mod tally;
#[cfg(test)]
mod tests;

#[cfg(feature = "internals")]
pub(crate) use self::catalogue::{CATALOGUE, OF_MEMORY};
#[cfg(feature = "memory")]
pub use self::memory::memory_store;
use self::tally::Tally;
use crate::event::Event;

/// An observer that counts, for `on_event`. The `guard` is a label: it says in which of the
/// application's guards a thing has happened.
pub fn observer(guard: &'static str) -> impl Fn(Event<'_>) + Send + Sync + 'static {
    let tally = Tally::new(guard);
    move |event| tally.count(event)
}
