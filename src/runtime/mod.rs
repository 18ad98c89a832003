//! What runs beside requests: the background thread, the span that a request came in, log lines, and
//! the signal that ends the process.

pub(crate) mod background;
#[cfg(feature = "tracing")]
pub(crate) mod log;
mod span;
mod stop_signal;

pub(crate) use self::{span::Span, stop_signal::stop_signal};
#[cfg(not(feature = "tracing"))]
pub(crate) use ::log;
