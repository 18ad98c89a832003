use super::{Done, Run};

/// What a claim is told.
#[derive(Debug)]
pub enum Claimed {
    /// The work is yours to do.
    Proceed(Run),
    /// It has been done; this is what was recorded.
    Replay(Done),
    /// It has been done, and what came of it is not known any more: a memory store was short of
    /// bytes, or what stands there cannot be read. It is not to be done again.
    NotStored,
    /// Another is doing it. Put it back and look again later.
    InProgress,
    /// An owner died while it did it, and with [`LostOwner::Refuse`](crate::LostOwner::Refuse)
    /// nobody tries again.
    UnknownOutcome,
    /// The key stands for other work: the fingerprints differ.
    Mismatch,
}
