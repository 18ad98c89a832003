//! Response bodies that are still to come, and what depends on their end.

mod body_tracker;
mod recorder;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use self::body_tracker::BodyTracker;
pub(crate) use self::recorder::Recorder;
use crate::claim::Guard;

pin_project! {
    /// A response body that holds a claim until its last byte has been handed over, or until it
    /// is dropped.
    pub struct GuardedBody<B> {
        #[pin]
        body: B,
        // Boxed, because most bodies are in memory and have none, and every response is moved many
        // times on its way out.
        body_tracker: Option<Box<BodyTracker>>,
    }
}

impl<B: MessageBody> GuardedBody<B> {
    /// A body that nothing depends on.
    pub(crate) fn free(body: B) -> Self {
        Self {
            body,
            body_tracker: None,
        }
    }

    /// A body that holds a claim; at its end the guard is dropped.
    pub(crate) fn guarded(body: B, guard: Guard) -> Self {
        let body_tracker = BodyTracker::guard(guard, body.size());
        Self::with(body, body_tracker)
    }

    /// A body that is recorded as it passes.
    pub(crate) fn recorded(body: B, recorder: Recorder) -> Self {
        let body_tracker = BodyTracker::recorder(recorder, body.size());
        Self::with(body, body_tracker)
    }

    fn with(body: B, body_tracker: BodyTracker) -> Self {
        Self {
            body,
            body_tracker: Some(Box::new(body_tracker)),
        }
    }
}

/// Neither what is sent nor what is copied of it.
impl<B> fmt::Debug for GuardedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedBody")
            .field("guarded", &self.body_tracker.is_some())
            .finish_non_exhaustive()
    }
}

impl<B: MessageBody> MessageBody for GuardedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let piece = ready!(this.body.poll_next(cx));
        let Some(mut body_tracker) = this.body_tracker.take() else {
            return Poll::Ready(piece);
        };
        // Whatever the end leads to is left to the background. Waiting for the store here would
        // hold the last piece back, which Nagle's algorithm turns into 40 ms.
        match &piece {
            Some(Ok(bytes)) if body_tracker.sees(bytes) => body_tracker.finish(),
            Some(Ok(_)) => *this.body_tracker = Some(body_tracker),
            None if body_tracker.has_seen_all() => body_tracker.finish(),
            None | Some(Err(_)) => drop(body_tracker),
        }
        Poll::Ready(piece)
    }

    /// A body without a claim is handed through whole, so that an outer middleware sees the
    /// handler's own body.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.body_tracker.is_some() {
            return Err(self);
        }
        self.body.try_into_bytes().map_err(Self::free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let body = GuardedBody::free(Bytes::from_static(b"secret"));
        assert_eq!(format!("{body:?}"), "GuardedBody { guarded: false, .. }");
    }
}
