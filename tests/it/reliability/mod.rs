//! What holds while servers, connections and clients fail.

mod cancellation;
mod chaos;
mod fault_table;
mod faults;
mod idempotency_faults;
mod interleavings;
mod lost_connections;
mod random;
