use actix_web::body::BodySize;
use bytes::Bytes;

use super::recorder::Recorder;
use crate::claim::Guard;

/// What depends on the end of a body, and how much of it is still to come.
pub(super) struct BodyTracker {
    held: Held,
    /// The bytes still to come, where that is known.
    left: Option<u64>,
}

enum Held {
    /// Is dropped at the end, whatever the end is.
    Guard { _guard: Guard },
    /// Copies what passes.
    Recorder(Recorder),
}

impl BodyTracker {
    pub(super) fn guard(guard: Guard, size: BodySize) -> Self {
        Self::new(Held::Guard { _guard: guard }, size)
    }

    pub(super) fn recorder(recorder: Recorder, size: BodySize) -> Self {
        Self::new(Held::Recorder(recorder), size)
    }

    fn new(held: Held, size: BodySize) -> Self {
        let left = match size {
            BodySize::Sized(size) => Some(size),
            BodySize::None | BodySize::Stream => None,
        };
        Self { held, left }
    }

    /// Sees a piece go by; true when it is the last.
    pub(super) fn sees(&mut self, piece: &Bytes) -> bool {
        if let Held::Recorder(recorder) = &mut self.held {
            recorder.copy(piece);
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(piece.len() as u64);
        }
        self.left == Some(0)
    }

    /// Whether a body that ends here is whole: one that ends before the size it has announced is
    /// cut off.
    pub(super) fn has_seen_all(&self) -> bool {
        self.left.is_none_or(|left| left == 0)
    }

    /// The whole body has gone by.
    pub(super) fn finish(self) {
        if let Held::Recorder(recorder) = self.held {
            recorder.finish();
        }
    }
}
