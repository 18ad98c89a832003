use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use crate::claim::Guard;

pin_project! {
    /// A response body that holds a claim until its last byte has been handed over, or until it
    /// is dropped.
    #[derive(Debug)]
    pub struct GuardedBody<B> {
        #[pin]
        body: B,
        guard: Option<Guard>,
        // The bytes still to come, where that is known.
        left: Option<u64>,
    }
}

impl<B: MessageBody> GuardedBody<B> {
    pub(crate) fn new(body: B, guard: Option<Guard>) -> Self {
        let left = match body.size() {
            BodySize::Sized(size) => Some(size),
            BodySize::None | BodySize::Stream => None,
        };
        Self { body, guard, left }
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
        let more = match (&piece, this.left.as_mut()) {
            (Some(Ok(bytes)), Some(left)) => {
                *left = left.saturating_sub(bytes.len() as u64);
                *left > 0
            }
            (Some(Ok(_)), None) => true,
            (Some(Err(_)) | None, _) => false,
        };
        if !more {
            // The guard's drop sends word to the background. Waiting for the store here would
            // hold the last piece back, which Nagle's algorithm turns into 40 ms.
            drop(this.guard.take());
        }
        Poll::Ready(piece)
    }

    /// A body without a claim is handed through whole, so that an outer middleware sees the
    /// handler's own body.
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        if self.guard.is_some() {
            return Err(self);
        }
        let left = self.left;
        self.body.try_into_bytes().map_err(|body| Self {
            body,
            guard: None,
            left,
        })
    }
}
