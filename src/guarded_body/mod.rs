//! Response bodies that are still to come, and what depends on their end.

mod recorder;

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

pub(crate) use self::recorder::Recorder;
use crate::claim::Guard;

pin_project! {
    /// A response body that holds a claim until its last byte has been handed over, or until it
    /// is dropped.
    #[derive(Debug)]
    pub struct GuardedBody<B> {
        #[pin]
        body: B,
        companion: Option<Companion>,
        // The bytes still to come, where that is known.
        left: Option<u64>,
    }
}

/// What goes along with a body.
#[derive(Debug)]
enum Companion {
    /// Is dropped at the end, whatever the end is.
    Guard { _held: Guard },
    /// Copies what passes.
    Recorder(Box<Recorder>),
}

impl<B: MessageBody> GuardedBody<B> {
    /// A body that nothing depends on.
    pub(crate) fn free(body: B) -> Self {
        Self::with(body, None)
    }

    /// A body that holds a claim; at its end the guard is dropped.
    pub(crate) fn guarded(body: B, guard: Guard) -> Self {
        Self::with(body, Some(Companion::Guard { _held: guard }))
    }

    /// A body that is recorded as it passes.
    pub(crate) fn recorded(body: B, recorder: Recorder) -> Self {
        Self::with(body, Some(Companion::Recorder(Box::new(recorder))))
    }

    fn with(body: B, companion: Option<Companion>) -> Self {
        let left = match body.size() {
            BodySize::Sized(size) => Some(size),
            BodySize::None | BodySize::Stream => None,
        };
        Self {
            body,
            companion,
            left,
        }
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
        if let (Some(Ok(bytes)), Some(left)) = (&piece, this.left.as_mut()) {
            *left = left.saturating_sub(bytes.len() as u64);
        }
        let whole = match &piece {
            Some(Ok(_)) => *this.left == Some(0),
            // A body that ends before the size it has announced is cut off.
            None => this.left.is_none_or(|left| left == 0),
            Some(Err(_)) => false,
        };
        let ended = whole || !matches!(piece, Some(Ok(_)));
        // Whatever the end leads to is left to the background. Waiting for the store here would
        // hold the last piece back, which Nagle's algorithm turns into 40 ms.
        if let (Some(Companion::Recorder(recorder)), Some(Ok(bytes))) =
            (&mut *this.companion, &piece)
        {
            recorder.copy(bytes);
        }
        if ended {
            match this.companion.take() {
                Some(Companion::Recorder(recorder)) if whole => recorder.finish(),
                Some(_) | None => {}
            }
        }
        Poll::Ready(piece)
    }

    /// A body without a claim is handed through whole, so that an outer middleware sees the
    /// handler's own body.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.companion.is_some() {
            return Err(self);
        }
        let left = self.left;
        self.body.try_into_bytes().map_err(|body| Self {
            body,
            companion: None,
            left,
        })
    }
}
