use std::{
    future::{poll_fn, ready},
    task::Poll,
    time::Duration,
};

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::header::CONTENT_LENGTH,
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::decision::{Decision, Refusal};
use crate::{claim::Claims, config::ConfigError, event::IncidentKind, problem::ProblemKind};

/// Reads a request's body before the handler does, within limits, and puts it back.
///
/// Without an extractor: those decompress, and have limits of their own.
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    /// The most bytes that are read.
    pub(crate) most: usize,
    /// The longest pause between two pieces. The whole body may take [`PAUSES`] times that.
    pub(crate) pause: Duration,
}

/// How many of the longest pauses a body may take in all.
const PAUSES: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    TooLarge,
    Stalled,
    /// The client disconnected or sent something malformed.
    Broken(PayloadError),
}

impl BodyReader {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if (Duration::from_millis(1)..=LONGEST_PAUSE).contains(&self.pause) {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "body_timeout must be between 1 ms and 1 day (got {:?}); 30 s is a good default",
            self.pause
        )))
    }

    /// The refusal of a request whose body was not read. The first one is a warning too: either a client
    /// misbehaves, or the limit is too low for the application.
    pub(crate) fn refuse(&self, err: ReadError, claims: &Claims) -> Decision {
        let (kind, detail, setting) = match err {
            ReadError::TooLarge => (
                ProblemKind::PayloadTooLarge,
                Some(format!("Send a body of at most {} bytes.", self.most).into()),
                format!("it was larger than max_body ({} bytes)", self.most),
            ),
            ReadError::Stalled => (
                ProblemKind::BodyTimeout,
                None,
                format!("it stalled beyond body_timeout ({:?})", self.pause),
            ),
            ReadError::Broken(err) => return Decision::Fail(err.into()),
        };
        let status = kind.status().as_u16();
        claims.report_once(
            IncidentKind::BodyRefused,
            format_args!(
                "a request body was refused with {status}: {setting}; raise the limit of the guard if the \
                 application expects such requests"
            ),
        );
        Decision::Refuse(Refusal {
            detail,
            ..kind.into()
        })
    }

    /// The raw body. The request has it again afterwards.
    pub(crate) async fn read(&self, req: &mut ServiceRequest) -> Result<Bytes, ReadError> {
        let announced = announced_length(req);
        if announced.is_some_and(|length| length > self.most as u64) {
            return Err(ReadError::TooLarge);
        }
        let mut payload = req.take_payload();
        if matches!(payload, Payload::None) {
            return Ok(Bytes::new());
        }
        let bytes = self.collect(&mut payload).await?;
        if bytes.is_empty() {
            req.set_payload(Payload::None);
        } else {
            req.set_payload(payload_of(bytes.clone()));
        }
        Ok(bytes)
    }

    async fn collect(&self, payload: &mut Payload) -> Result<Bytes, ReadError> {
        let mut end = None;
        // Most bodies are in one piece, which is not copied.
        let Some(first) = self.next(payload, &mut end).await? else {
            return Ok(Bytes::new());
        };
        if first.len() > self.most {
            return Err(ReadError::TooLarge);
        }
        let Some(second) = self.next(payload, &mut end).await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        let mut piece = Some(second);
        while let Some(bytes) = piece {
            if all.len() + bytes.len() > self.most {
                return Err(ReadError::TooLarge);
            }
            all.extend_from_slice(&bytes);
            piece = self.next(payload, &mut end).await?;
        }
        Ok(all.freeze())
    }

    /// Waits for the next piece. `end` is when the whole body has to be here; it counts from the first piece
    /// that is waited for.
    async fn next(
        &self,
        payload: &mut Payload,
        end: &mut Option<Instant>,
    ) -> Result<Option<Bytes>, ReadError> {
        let piece = match next_soon(payload).await {
            Poll::Ready(piece) => piece,
            Poll::Pending => {
                let now = Instant::now();
                let end = *end.get_or_insert(now + self.pause.saturating_mul(PAUSES));
                timeout_at(end.min(now + self.pause), payload.next())
                    .await
                    .map_err(|_elapsed| ReadError::Stalled)?
            }
        };
        piece.transpose().map_err(ReadError::Broken)
    }
}

/// Returns the next piece if it is here, or comes as soon as the task has had another turn. Most bodies arrive
/// together with their head, which the server hands over first; no timer is set for them.
async fn next_soon(payload: &mut Payload) -> Poll<Option<Result<Bytes, PayloadError>>> {
    let mut is_again = false;
    poll_fn(|cx| match payload.poll_next_unpin(cx) {
        Poll::Pending if !is_again => {
            is_again = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        polled => Poll::Ready(polled),
    })
    .await
}

/// Returns a body in memory as a payload that can be read again.
fn payload_of(bytes: Bytes) -> Payload {
    // `Payload::from` would make room for 32 pieces.
    let one = stream::once(ready(Ok(bytes)));
    Payload::Stream {
        payload: Box::pin(one),
    }
}

fn announced_length(req: &ServiceRequest) -> Option<u64> {
    req.headers()
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
