use std::future::Future;

use tracing::Instrument;

/// The span that somebody's work belongs to, to be current again where the work goes on.
#[derive(Debug)]
pub(crate) struct Span(tracing::Span);

impl Span {
    pub(crate) fn current() -> Self {
        Self(tracing::Span::current())
    }

    /// Runs it inside of the span.
    pub(crate) fn within<T>(&self, run: impl FnOnce() -> T) -> T {
        self.0.in_scope(run)
    }

    /// Has a future run inside of the span, whoever polls it.
    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        future.instrument(self.0)
    }
}
