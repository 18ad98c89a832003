//! The names of the metrics, the same in every version.

/// Requests, by outcome.
pub const REQUESTS: &str = "idempotency_requests_total";
/// Requests that got a problem, by its name.
pub const REFUSALS: &str = "idempotency_refusals_total";
/// Runs whose earlier owner crashed.
pub const TAKEOVERS: &str = "idempotency_takeovers_total";
/// Handlers that were cut off before they responded.
pub const CUT_OFF: &str = "idempotency_cut_off_total";
/// Keys, by what happened to them.
pub const ENDINGS: &str = "idempotency_endings_total";
/// Runs whose key had another owner when they ended.
pub const LOST: &str = "idempotency_lost_total";
/// Requests and incidents that met a failing store, by how it failed.
pub const STORE_ERRORS: &str = "idempotency_store_errors_total";
/// Claims with an incident in the background, by its kind.
pub const INCIDENTS: &str = "idempotency_incidents_total";
/// Time in the middleware, by outcome.
pub const REQUEST_DURATION: &str = "idempotency_request_duration_seconds";
/// Time until handlers responded.
pub const HANDLER_DURATION: &str = "idempotency_handler_duration_seconds";
/// Time of calls to the store, by step.
pub const STORE_DURATION: &str = "idempotency_store_duration_seconds";
/// Time that duplicates waited for the original request.
pub const WAIT_DURATION: &str = "idempotency_wait_duration_seconds";
/// Sizes of the bodies that are recorded.
pub const RECORDED_BODY: &str = "idempotency_recorded_body_bytes";
/// Claims and records in a memory store.
pub const MEMORY_ENTRIES: &str = "idempotency_memory_entries";
/// The most claims and records of a memory store.
pub const MEMORY_ENTRIES_MAX: &str = "idempotency_memory_entries_max";
/// Bytes of recorded headers and bodies in a memory store.
pub const MEMORY_BYTES: &str = "idempotency_memory_bytes";
/// The most bytes of a memory store.
pub const MEMORY_BYTES_MAX: &str = "idempotency_memory_bytes_max";
