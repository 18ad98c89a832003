use bytes::Bytes;

use super::Execution;
use crate::store::RecordedResponse;

/// The outcome of a claim: whether the work runs, and if not, why.
///
/// A `match` on it has to handle each case, because each wants something else of a consumer.
#[derive(Debug)]
pub enum DedupOutcome {
    /// This caller does the work, and ends the execution.
    Execute(Execution),
    /// The work is done; this is what was recorded of it.
    Replay(ExecutionOutcome),
    /// The work is done, and its result is not known any more: a memory store ran out of bytes, or the
    /// record cannot be read. Do not run it again.
    NotStored,
    /// Another execution is in progress. Put the work back, and look again later.
    InFlight,
    /// The owner crashed while it did the work, and with
    /// [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) it is not tried again.
    OutcomeUnknown,
    /// The key belongs to other work: the fingerprints differ.
    Mismatch,
}

const COMPLETED: u16 = 200;
const FAILED: u16 = 500;

/// The end of the work, as its execution recorded it.
#[derive(Clone, PartialEq, Eq)]
pub enum ExecutionOutcome {
    /// The work was done, with this result.
    Completed(Bytes),
    /// The work failed for good, with this error.
    Failed(Bytes),
}

impl ExecutionOutcome {
    /// A record is an HTTP response in every store; of it only the status says how work ended.
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
