use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Observer, RequestEvent};
use crate::runtime::Span;

/// What is known of a request so far. Dropped, wherever that is, it tells the observer, so that no
/// request is told of twice or not at all. Without an observer it is empty, and nothing is measured.
///
/// It goes along with the request's future, so it is no larger than a pointer.
#[derive(Debug, Default)]
pub(crate) struct EventBuilder(Option<Box<Draft>>);

#[derive(Debug)]
struct Draft {
    observer: Observer,
    event: RequestEvent,
    begun: Instant,
    /// When the step that is under way began.
    step: Instant,
    /// Where the request came in.
    span: Span,
}

impl EventBuilder {
    /// The request begins.
    pub(crate) fn begin(observer: Option<&Observer>) -> Self {
        Self(observer.map(|observer| {
            let now = Instant::now();
            Box::new(Draft {
                observer: observer.clone(),
                event: RequestEvent::new(),
                begun: now,
                step: now,
                span: Span::current(),
            })
        }))
    }

    /// The same, of a middleware that only watches.
    pub(crate) fn in_shadow(mut self) -> Self {
        self.record(|event| event.shadow = true);
        self
    }

    /// Writes something down, if anybody reads it.
    pub(crate) fn record(&mut self, record: impl FnOnce(&mut RequestEvent)) {
        if let Some(draft) = &mut self.0 {
            record(&mut draft.event);
        }
    }

    /// A step begins that is timed.
    pub(crate) fn start_step(&mut self) {
        if let Some(draft) = &mut self.0 {
            draft.step = Instant::now();
        }
    }

    /// It has ended, and took so long.
    pub(crate) fn end_step(&mut self, record: impl FnOnce(&mut RequestEvent, Duration)) {
        if let Some(draft) = &mut self.0 {
            record(&mut draft.event, draft.step.elapsed());
        }
    }

    /// The request passes; nobody is told of it.
    pub(crate) fn discard(&mut self) {
        self.0 = None;
    }
}

impl Drop for EventBuilder {
    fn drop(&mut self) {
        if let Some(mut draft) = self.0.take() {
            draft.event.total_duration = draft.begun.elapsed();
            let told = Event::Request(&draft.event);
            draft.span.within(|| draft.observer.tell(told));
        }
    }
}
