use crate::store::ClaimId;

/// A call to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Op {
    Begin,
    /// Only of a [mutant](super::mutant::Mutant::ClaimInTwoSteps): writes what `Begin` found vacant.
    Put,
    Complete,
    /// Only of a claim of its own, never into a vacant place: the rows of its transaction go along.
    Commit,
    Release,
}

/// What the store said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum StoreReply {
    Claimed {
        at: u8,
    },
    /// Only to a [mutant](super::mutant::Mutant::ClaimInTwoSteps).
    Vacant,
    InFlight(Option<ClaimId>),
    /// It stands for other work, or for a dead owner that nobody may follow.
    Refused,
    /// The run whose response is replayed.
    Finished(u16),
    Held(bool),
}

/// A call that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) op: Op,
    pub(super) sent_at: u8,
    /// `None` until the store has carried it out.
    pub(super) reply: Option<StoreReply>,
}

/// A call that nobody waits for any more, and that may still be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Late {
    pub(super) by: usize,
    pub(super) token: u16,
    pub(super) op: Op,
    pub(super) sent_at: u8,
}
