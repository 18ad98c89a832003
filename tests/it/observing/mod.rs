//! What an operator is told.

mod events;
mod events_at_the_limits;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
mod traces;
