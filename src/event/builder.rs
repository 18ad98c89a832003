use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Observer, RequestEvent};
use crate::runtime::Span;

/// What is known of a request so far. Reports to the observer on drop, so that each request is reported exactly
/// once. Without an observer it is empty, and nothing is measured.
///
/// It is part of the request's future, so it is no larger than a pointer.
#[derive(Debug, Default)]
pub(crate) struct EventBuilder(Option<Box<Draft>>);

#[derive(Debug)]
struct Draft {
    observer: Observer,
    event: RequestEvent,
    begun: Instant,
    /// When the current step began.
    step: Instant,
    /// The span that the request came in.
    span: Span,
}

impl EventBuilder {
    /// Begins the event of a request.
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

    /// Marks the event as that of a shadow.
    pub(crate) fn in_shadow(mut self) -> Self {
        self.record(|event| event.shadow = true);
        self
    }

    /// Records something, if there is an observer.
    pub(crate) fn record(&mut self, record: impl FnOnce(&mut RequestEvent)) {
        if let Some(draft) = &mut self.0 {
            record(&mut draft.event);
        }
    }

    /// Begins a step that is timed.
    pub(crate) fn start_step(&mut self) {
        if let Some(draft) = &mut self.0 {
            draft.step = Instant::now();
        }
    }

    /// Ends the step, and records how long it took.
    pub(crate) fn end_step(&mut self, record: impl FnOnce(&mut RequestEvent, Duration)) {
        if let Some(draft) = &mut self.0 {
            record(&mut draft.event, draft.step.elapsed());
        }
    }

    /// Drops the event: the request passes untouched.
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
