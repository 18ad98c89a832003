/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its handler ran, under a claim.
    Executed,
    /// It was told what the first one was answered.
    Replayed,
    /// Refused: the same request is running elsewhere.
    InFlight,
    /// Refused: its key stands for another request.
    Mismatch,
    /// Refused: it has been carried out, and its answer could not be kept or read.
    NotStored,
    /// Refused: an owner died, and nobody may follow.
    Unknown,
    /// Refused: something is wrong with its key, its scope or its body.
    Invalid,
    /// A closure of the application, or the connection, failed before anything was claimed.
    Failed,
    /// Refused: the store could not be asked.
    StoreError,
    /// The store could not be asked, and its handler ran without a claim.
    Unguarded,
    /// Its client left before there was anything to tell.
    Abandoned,
}

impl Outcome {
    /// A name for labels, the same in every version.
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

/// What becomes of a key when its handler has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The answer is kept.
    Recorded,
    /// Only the fact is kept: the answer is too large, was cut off, or must not be stored.
    Tombstone,
    /// It is free.
    Freed,
    /// Its lease lapses, because nobody knows what has been done.
    Lapsed,
}

impl Ending {
    /// A name for labels, the same in every version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Tombstone => "tombstone",
            Self::Freed => "freed",
            Self::Lapsed => "lapsed",
        }
    }
}

/// Whether the store knows how a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FinishOutcome {
    /// The store has confirmed it: the response is recorded, or the key is free.
    Confirmed,
    /// The store could not be reached in time, or nobody waited for it; the background goes on trying.
    Deferred,
    /// Another owner has the key by now; nothing was changed. The same work may have been done twice.
    Lost,
}
