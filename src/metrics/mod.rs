//! Counts events for Prometheus, and for whatever else reads the [`metrics`](https://docs.rs/metrics) facade
//! (feature `metrics`).
//!
//! ```
//! use actix_web_idempotency::{Idempotency, MemoryStore, Scope, metrics};
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Buckets, which quantiles over several processes need. Before the guards are built.
//! let durations = Matcher::Suffix("_duration_seconds".to_owned());
//! let prometheus = PrometheusBuilder::new()
//!     .set_buckets_for_metric(durations, &[0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 30.0])?
//!     .install_recorder()?;
//! let payments = Idempotency::builder(MemoryStore::new(), Scope::header("x-user"))
//!     .on_event(metrics::observer("payments"))
//!     .build()?;
//! assert!(prometheus.render().contains("idempotency_requests_total{guard=\"payments\""));
//! # drop(payments);
//! # Ok(())
//! # }
//! ```
//!
//! To receive events as well, call it: `let count = metrics::observer("payments");` and `.on_event(move |event|
//! { count(event); .. })`.
//!
//! # What is counted
//!
//! Each metric has the label `guard`, the name that [`observer`] got, and at most one more.
//!
//! | metric | label | what it counts |
//! |---|---|---|
//! | `idempotency_requests_total` | `outcome` | requests, by [`Outcome`](crate::event::Outcome) |
//! | `idempotency_refusals_total` | `problem` | requests that got a [problem](crate::problem) |
//! | `idempotency_takeovers_total` | | runs whose earlier owner crashed |
//! | `idempotency_cut_off_total` | | handlers that were cut off before they responded, by a client that left a lock or by a panic |
//! | `idempotency_endings_total` | `ending` | keys, by what happened to them: [`Ending`](crate::event::Ending) |
//! | `idempotency_lost_total` | | runs whose key had another owner when they ended |
//! | `idempotency_store_errors_total` | `error` | requests and incidents that met a failing store |
//! | `idempotency_incidents_total` | `incident` | claims, by what went wrong in the background: [`IncidentKind`](crate::event::IncidentKind) |
//! | `idempotency_request_duration_seconds` | `outcome` | time in the middleware, handler and wait included |
//! | `idempotency_handler_duration_seconds` | | time until handlers responded |
//! | `idempotency_store_duration_seconds` | `step` | time of the claim (`claiming`) and of its end (`settling`) |
//! | `idempotency_wait_duration_seconds` | | time that duplicates waited for the original request |
//! | `idempotency_recorded_body_bytes` | | bodies that are recorded |
//!
//! [`memory_store`] sets these for a [`MemoryStore`](crate::MemoryStore), with the label `store`:
//!
//! | metric | label | what it is set to |
//! |---|---|---|
//! | `idempotency_memory_entries` | | claims and records |
//! | `idempotency_memory_entries_max` | | the most of them; a full store refuses new keys |
//! | `idempotency_memory_bytes` | | bytes of recorded headers and bodies |
//! | `idempotency_memory_bytes_max` | | the most of them; beyond that the oldest bodies are dropped |
//!
//! [`name`] has these names as constants. All values of labels are names that this crate knows, at most
//! seventeen of one label; what a client sends is never one. A guard has 49 counters, and up to 16 histograms.
//! Sizes of request bodies and statuses of responses are not counted, because metrics of all requests have
//! them; nor is what matters for one request only: its key, and what is left of the lease in its way.
//!
//! A [shadow](crate::guide::rollout) counts what it would have done. Give its guard a name that says so, such
//! as `payments-shadow`, so that dashboards tell it from one that refuses.
//!
//! # The recorder
//!
//! Install it before guards are built: then all counters are there, as zeroes, from the first scrape on, and an
//! alert sees the first incident after a start. (`increase` needs a value before it.) A recorder that is
//! installed later counts from then on. The observer holds no handle into it, so a recorder that drops idle
//! series counts on when they are used again.
//!
//! The recorder decides how histograms are stored: without buckets the Prometheus exporter makes summaries,
//! which cannot be added up over processes. `examples/metrics` in the repository sets buckets, does the
//! exporter's upkeep (without it samples pile up between scrapes), serves `GET /metrics`, and has a Grafana
//! dashboard and alerts.
//!
//! # What it costs
//!
//! With the Prometheus exporter about 1.2 µs for a first run, which is counted in seven series, and half of
//! that for a replay, which is in three; without a recorder less than a tenth of a microsecond. Any observer
//! costs a quarter of a microsecond on top. Nothing is allocated for labels; most of it is the recorder's
//! search for the series. A handle for each would save that, and count nothing if the recorder comes later or
//! has dropped it.

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

/// Returns an observer that counts, for `on_event`. The label `guard` tells the application's guards apart.
pub fn observer(guard: &'static str) -> impl Fn(Event<'_>) + Send + Sync + 'static {
    let tally = Tally::new(guard);
    move |event| tally.count(event)
}
