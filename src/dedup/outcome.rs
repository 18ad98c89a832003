use bytes::Bytes;

use super::Execution;
use crate::store::RecordedResponse;

/// What a claim is told.
#[derive(Debug)]
pub enum DedupOutcome {
    /// The work is yours to do.
    Execute(Execution),
    /// It has been done; this is what was recorded.
    Replay(ExecutionOutcome),
    /// It has been done, and what came of it is not known any more: a memory store was short of
    /// bytes, or what stands there cannot be read. It is not to be done again.
    NotStored,
    /// Another is doing it. Put it back and look again later.
    InFlight,
    /// An owner died while it did it, and with [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse)
    /// nobody tries again.
    OutcomeUnknown,
    /// The key stands for other work: the fingerprints differ.
    Mismatch,
}

const COMPLETED: u16 = 200;
const FAILED: u16 = 500;

/// How work ended, as its run has recorded it.
#[derive(Clone, PartialEq, Eq)]
pub enum ExecutionOutcome {
    /// It was done, with this result.
    Completed(Bytes),
    /// It failed for good, with this error.
    Failed(Bytes),
}

impl ExecutionOutcome {
    /// A record is an HTTP answer in every store; of it only the status says how work ended.
    pub(super) fn from_response(answer: RecordedResponse) -> Self {
        match answer.status {
            0..400 => Self::Completed(answer.body),
            400.. => Self::Failed(answer.body),
        }
    }

    pub(super) fn into_parts(self) -> (u16, Bytes) {
        match self {
            Self::Completed(result) => (COMPLETED, result),
            Self::Failed(error) => (FAILED, error),
        }
    }
}

/// The size, never the content.
impl std::fmt::Debug for ExecutionOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Completed(result) => write!(f, "Completed({} bytes)", result.len()),
            Self::Failed(error) => write!(f, "Failed({} bytes)", error.len()),
        }
    }
}
