use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::{
    claim::Guard,
    store::{Record, RecordedResponse},
};

/// Copies a body as it passes, and records the response when the body is whole. A body that is cut
/// off, or does not fit, leaves a tombstone: the work has been done.
pub(crate) struct Recorder {
    /// `None` once it has been told what to record.
    guard: Option<Guard>,
    /// The response, its body empty so far.
    answer: RecordedResponse,
    body: BytesMut,
    most: usize,
    retention: Duration,
}

impl Recorder {
    /// `answer` is recorded with the body that passes, of at most `most` bytes.
    pub(crate) fn new(
        guard: Guard,
        answer: RecordedResponse,
        most: usize,
        retention: Duration,
    ) -> Self {
        Self {
            guard: Some(guard),
            answer,
            body: BytesMut::new(),
            most,
            retention,
        }
    }

    /// A piece that has passed.
    pub(super) fn copy(&mut self, piece: &Bytes) {
        if self.guard.is_none() {
            return;
        }
        if self.body.len() + piece.len() > self.most {
            // It will not come to fit. Said now and not at the end, which a stream of events may
            // never reach.
            self.body = BytesMut::new();
            self.drop_body();
            return;
        }
        self.body.extend_from_slice(piece);
    }

    /// The body is whole.
    pub(super) fn finish(mut self) {
        if let Some(mut guard) = self.guard.take() {
            self.answer.body = std::mem::take(&mut self.body).freeze();
            let answer = Record::Response(self.answer.clone());
            guard.answered(answer, self.retention);
        }
    }

    fn drop_body(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            let tombstone = Record::Tombstone(self.answer.to_tombstone());
            guard.answered(tombstone, self.retention);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.drop_body();
    }
}
