use std::time::Duration;

use actix_web::{
    HttpMessage,
    dev::{Payload, ServiceRequest},
    error::PayloadError,
    http::header::CONTENT_LENGTH,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::ConfigError;

/// Reads a request's body before the handler does, within limits, and puts it back.
///
/// Not through an extractor: those decompress, and have limits of their own.
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
    /// The client went away or sent nonsense.
    Broken(PayloadError),
}

impl BodyReader {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if (Duration::from_millis(1)..=LONGEST_PAUSE).contains(&self.pause) {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "body_timeout is {:?}: a pause between two pieces lasts between 1 ms and a day, give \
             it some seconds",
            self.pause
        )))
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
            req.set_payload(Payload::from(bytes.clone()));
        }
        Ok(bytes)
    }

    async fn collect(&self, payload: &mut Payload) -> Result<Bytes, ReadError> {
        let end = Instant::now() + self.pause.saturating_mul(PAUSES);
        let mut next = async || {
            let pause = Instant::now() + self.pause;
            match timeout_at(pause.min(end), payload.next()).await {
                Ok(piece) => piece.transpose().map_err(ReadError::Broken),
                Err(_elapsed) => Err(ReadError::Stalled),
            }
        };
        // A body in one piece, which most are, is not copied.
        let Some(first) = next().await? else {
            return Ok(Bytes::new());
        };
        if first.len() > self.most {
            return Err(ReadError::TooLarge);
        }
        let Some(second) = next().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::from(first);
        let mut piece = Some(second);
        while let Some(bytes) = piece {
            if all.len() + bytes.len() > self.most {
                return Err(ReadError::TooLarge);
            }
            all.extend_from_slice(&bytes);
            piece = next().await?;
        }
        Ok(all.freeze())
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
