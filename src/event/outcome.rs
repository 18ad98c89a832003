/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its handler ran under a claim.
    Executed,
    /// It got the recorded response.
    Replayed,
    /// Refused: the same request is still running.
    InFlight,
    /// Refused: its key belongs to another request.
    Mismatch,
    /// Refused: the work is done, and its response could not be recorded or read.
    NotStored,
    /// Refused: the owner crashed, and no retry may run.
    Unknown,
    /// Refused: something is wrong with its key, its scope or its body.
    Invalid,
    /// A closure of the application, or the connection, failed before anything was claimed.
    Failed,
    /// Refused: the store could not be asked.
    StoreError,
    /// The store could not be asked, and its handler ran without a claim.
    Unguarded,
    /// Its client disconnected before the outcome was known.
    Abandoned,
}

impl Outcome {
    /// Returns a name for labels, the same in every version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::Replayed => "replayed",
            Self::InFlight => "in_flight",
            Self::Mismatch => "mismatch",
            Self::NotStored => "not_stored",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::StoreError => "store_error",
            Self::Unguarded => "unguarded",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The state in which a key is left when its handler has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The response is recorded.
    Recorded,
    /// The response is recorded, in the transaction of the handler. After a commit in doubt: its claim was gone.
    Committed,
    /// The response is not recorded, only that the work is done: it is too large, was cut off, or must not be
    /// stored.
    Tombstone,
    /// The key is free.
    Freed,
    /// The lease expires, because it is not known what the handler has done.
    Lapsed,
}

impl Ending {
    /// Returns a name for labels, the same in every version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Committed => "committed",
            Self::Tombstone => "tombstone",
            Self::Freed => "freed",
            Self::Lapsed => "lapsed",
        }
    }
}

/// The store's knowledge of how a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishOutcome {
    /// The store has confirmed it: the response is recorded, or the key is free.
    Confirmed,
    /// The store could not be reached in time, or the request did not wait for it; the background goes on
    /// trying.
    Deferred,
    /// Another owner has the key by now; nothing was changed. The same work may have been done twice.
    Lost,
}
