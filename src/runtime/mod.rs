//! What runs beside requests: the background thread, the span that a request came in, and log lines.

pub(crate) mod background;
#[cfg(feature = "tracing")]
pub(crate) mod log;
mod span;

pub(crate) use self::span::Span;
#[cfg(not(feature = "tracing"))]
pub(crate) use ::log;
