use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far a commit of the application has come that completes a claim. Shared by the work, which commits, and the
/// guard, which follows it when the work has ended.
#[derive(Debug, Default)]
pub(super) struct Commit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    stage: CommitStage,
    /// The work has ended.
    closed: bool,
}

/// The stages of a commit.
#[cfg_attr(
    not(feature = "sql"),
    allow(dead_code, reason = "only SQL stores commit")
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CommitStage {
    /// Nothing was sent, or all of it is rolled back.
    #[default]
    Open,
    /// The statement was sent: the transaction may have been committed, or be committed later.
    InDoubt,
    /// The record and the rows are there.
    Committed,
}

/// Why a commit may not begin.
#[cfg(feature = "sql")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitRefused {
    /// Another one has begun, and was not rolled back.
    Second,
    /// The work has ended.
    Ended,
}

impl Commit {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work has ended: no commit begins any more.
    pub(super) fn close(&self) -> CommitStage {
        let mut state = self.lock();
        state.closed = true;
        state.stage
    }
}

#[cfg(feature = "sql")]
impl Commit {
    /// Begins before anything is sent.
    pub(super) fn begin(&self) -> Result<(), CommitRefused> {
        let mut state = self.lock();
        match state.stage {
            CommitStage::Open if state.closed => Err(CommitRefused::Ended),
            CommitStage::Open => {
                state.stage = CommitStage::InDoubt;
                Ok(())
            }
            CommitStage::InDoubt | CommitStage::Committed => Err(CommitRefused::Second),
        }
    }

    pub(super) fn rolled_back(&self) {
        self.lock().stage = CommitStage::Open;
    }

    pub(super) fn committed(&self) {
        self.lock().stage = CommitStage::Committed;
    }
}

#[cfg(all(test, feature = "sql"))]
mod tests {
    use super::*;

    #[test]
    fn commit_begins_once_unless_it_is_rolled_back() {
        let commit = Commit::default();
        assert_eq!(commit.begin(), Ok(()));
        assert_eq!(commit.begin(), Err(CommitRefused::Second));
        commit.rolled_back();
        assert_eq!(commit.begin(), Ok(()));
        commit.committed();
        assert_eq!(commit.begin(), Err(CommitRefused::Second));
        assert_eq!(commit.close(), CommitStage::Committed);
    }

    #[test]
    fn commit_does_not_begin_when_the_work_has_ended() {
        let commit = Commit::default();
        assert_eq!(commit.close(), CommitStage::Open);
        assert_eq!(commit.begin(), Err(CommitRefused::Ended));
    }
}
