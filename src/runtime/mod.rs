//! What runs beside requests: the background thread, and the span that a request came in.

pub(crate) mod background;
#[cfg(feature = "tracing")]
mod span;
#[cfg(not(feature = "tracing"))]
#[path = "no_span.rs"]
mod span;

pub(crate) use self::span::Span;
