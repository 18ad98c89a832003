//! What an operator is told.

mod events;
mod events_at_the_limits;
mod metrics;
mod traces;
