use std::{
    cell::RefCell,
    mem,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// A request's body that can be given back although a part of it has been read.
pub(crate) struct KeptBody(Rc<RefCell<Reading>>);

/// How far a body has been read.
struct Reading {
    /// What has been read.
    pieces: Vec<Bytes>,
    /// Why no more could be read.
    broken: Option<PayloadError>,
    has_ended: bool,
    rest: Payload,
}

/// What is read in the body's place.
struct Reader(Rc<RefCell<Reading>>);

impl KeptBody {
    /// Keeps what is read of a request's body from now on.
    pub(crate) fn take(req: &mut ServiceRequest) -> Self {
        let rest = req.take_payload();
        let is_none = matches!(rest, Payload::None);
        let reading = Rc::new(RefCell::new(Reading {
            pieces: Vec::new(),
            broken: None,
            has_ended: is_none,
            rest,
        }));
        if !is_none {
            let payload = Box::pin(Reader(Rc::clone(&reading)));
            req.set_payload(Payload::Stream { payload });
        }
        Self(reading)
    }

    /// Gives the request its body as it came, still streaming, unless it was read to its end: whoever
    /// did that has put it back.
    pub(crate) fn give_back(self, req: &mut ServiceRequest) {
        let reading = &mut *self.0.borrow_mut();
        if reading.has_ended {
            return;
        }
        let rest = mem::replace(&mut reading.rest, Payload::None);
        if reading.pieces.is_empty() && reading.broken.is_none() {
            req.set_payload(rest);
            return;
        }
        let read = mem::take(&mut reading.pieces).into_iter().map(Ok);
        let read = read.chain(reading.broken.take().map(Err));
        let payload = Box::pin(stream::iter(read).chain(rest));
        req.set_payload(Payload::Stream { payload });
    }
}

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reading = &mut *self.0.borrow_mut();
        reading.rest.poll_next_unpin(cx).map(|piece| match piece {
            Some(Ok(piece)) => {
                reading.pieces.push(piece.clone());
                Some(Ok(piece))
            }
            Some(Err(err)) => {
                // The handler has to be told it, so whoever reads before is told another.
                reading.broken = Some(err);
                Some(Err(PayloadError::Incomplete(None)))
            }
            None => {
                reading.has_ended = true;
                None
            }
        })
    }
}
