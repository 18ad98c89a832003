//! Response bodies that are still to come, and what depends on their end.

mod companion;
mod recorder;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use self::companion::Companion;
pub(crate) use self::recorder::Recorder;
use crate::claim::Guard;

pin_project! {
    /// A response body that holds a claim until its last byte has been handed over, or until it
    /// is dropped.
    pub struct GuardedBody<B> {
        #[pin]
        body: B,
        // Boxed, because most bodies are in memory and have none, and every answer is moved many
        // times on its way out.
        companion: Option<Box<Companion>>,
    }
}

impl<B: MessageBody> GuardedBody<B> {
    /// A body that nothing depends on.
    pub(crate) fn free(body: B) -> Self {
        Self {
            body,
            companion: None,
        }
    }

    /// A body that holds a claim; at its end the guard is dropped.
    pub(crate) fn guarded(body: B, guard: Guard) -> Self {
        let companion = Companion::guard(guard, body.size());
        Self::with(body, companion)
    }

    /// A body that is recorded as it passes.
    pub(crate) fn recorded(body: B, recorder: Recorder) -> Self {
        let companion = Companion::recorder(recorder, body.size());
        Self::with(body, companion)
    }

    fn with(body: B, companion: Companion) -> Self {
        Self {
            body,
            companion: Some(Box::new(companion)),
        }
    }
}

/// Neither what is sent nor what is copied of it.
impl<B> fmt::Debug for GuardedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedBody")
            .field("guarded", &self.companion.is_some())
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
        let Some(mut companion) = this.companion.take() else {
            return Poll::Ready(piece);
        };
        // Whatever the end leads to is left to the background. Waiting for the store here would
        // hold the last piece back, which Nagle's algorithm turns into 40 ms.
        match &piece {
            Some(Ok(bytes)) if companion.sees(bytes) => companion.finish(),
            Some(Ok(_)) => *this.companion = Some(companion),
            None if companion.has_seen_all() => companion.finish(),
            None | Some(Err(_)) => drop(companion),
        }
        Poll::Ready(piece)
    }

    /// A body without a claim is handed through whole, so that an outer middleware sees the
    /// handler's own body.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.companion.is_some() {
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
