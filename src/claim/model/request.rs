use super::call::Call;
use crate::{
    claim::{ClaimState, Cleanup},
    store::ClaimId,
};

/// One request on its way through the middleware, and what it leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) work: Work,
    pub(super) doing: Doing,
    /// How many claims it has made. Who has waited makes another.
    pub(super) claims: u16,
    /// Whether its last claim was sent twice.
    pub(super) sent_again: bool,
    pub(super) claim_state: ClaimState<(), (), ()>,
    /// What it has left to the background.
    pub(super) job: Option<Job>,
    pub(super) run: Option<RunState>,
}

/// The work of a request: two requests with the same work are retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Work {
    pub(super) key: usize,
    pub(super) fingerprint: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Doing {
    NotYet,
    Calling(Call),
    Waiting(ClaimId),
    Handling,
    /// It has been answered, or dropped.
    Over,
    /// Its process was killed.
    Killed,
}

/// What the background does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) cleanup: CleanupHere,
    /// When it is given up, unless the store cannot be asked then.
    pub(super) until: u8,
}

pub(super) type CleanupHere = Cleanup<(), (), ()>;

/// The handler has run, or runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RunState {
    pub(super) token: u16,
    /// By the store's clock, as last renewed.
    pub(super) lapses_at: u8,
    pub(super) end: Option<End>,
    /// The store holds its response.
    pub(super) is_recorded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    /// With a response that is recorded.
    Answer,
    /// With a commit, which may have been carried out or not. If not, it has left nothing behind.
    Commit,
    /// Without one: it may run again.
    Free,
    /// Nobody knows.
    CutOff,
}
