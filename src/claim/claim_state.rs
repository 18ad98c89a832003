use std::mem;

use crate::config::ExpiredLease;

/// The owner's half of a claim's life, from the moment it is sent until the store has heard how the
/// work has ended: where it stands, and what is left to do if it goes no further. What it needs for
/// that is carried along and means nothing here, so that the model walks through the same states as
/// a [`Guard`](super::Guard).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClaimState<S, R, A> {
    pub(super) stage: Stage<S, R, A>,
    on_drop: ExpiredLease,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage<S, R, A> {
    /// The claim is under way: it may have been carried out, or be carried out later.
    Sent(S),
    /// The key is held.
    Running(R),
    /// The key is held, and the application's transaction that completes the claim may have been committed.
    InDoubt(R),
    /// That transaction is committed: there is nothing to give back.
    Committed(R),
    /// The key is held, and this is what has to stand there in the end.
    Answered(A),
    /// There is nothing to give back.
    Finished,
}

/// What has to follow when an owner goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cleanup<S, R, A> {
    /// Frees a key that may come to be held.
    Undo(S),
    /// Frees a key that is held.
    Release(R),
    /// Leaves a key to its lease, for a dead owner that must not be forgotten.
    Lapse(R),
    /// Records a response. From then on nothing ever releases: a completion that timed out may have
    /// been carried out, and a release after it would let the work run twice.
    Record(A),
    Nothing,
}

impl<S, R, A> ClaimState<S, R, A> {
    /// Begins before anything is sent.
    pub(crate) fn sent(claim: S, on_drop: ExpiredLease) -> Self {
        Self {
            stage: Stage::Sent(claim),
            on_drop,
        }
    }

    /// The store has said that the key is ours.
    pub(crate) fn claimed(&mut self, running: impl FnOnce(S) -> R) {
        self.stage = match mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Sent(claim) => Stage::Running(running(claim)),
            other => other,
        };
    }

    /// The store has said that the key is another's, or that it holds nothing of ours any more.
    /// `sent_again` is the claim if it was sent twice: its other copy may still be under way, so the
    /// key may come to be held once more.
    pub(crate) fn gone(&mut self, sent_again: Option<S>) {
        self.stage = sent_again.map_or(Stage::Finished, Stage::Sent);
    }

    /// The work has ended, and may be done again: from now on a drop frees the key, whatever happens
    /// to dead owners otherwise.
    pub(crate) fn free_on_drop(&mut self) {
        self.on_drop = ExpiredLease::Reexecute;
    }

    /// Nobody knows what the work has done: from now on a drop leaves the key to its lease.
    pub(super) fn lapse_on_drop(&mut self) {
        self.on_drop = ExpiredLease::Refuse;
    }

    /// There is a response.
    pub(crate) fn answered(&mut self, answer: impl FnOnce(R) -> A) {
        self.stage = match mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Running(running) => Stage::Answered(answer(running)),
            other => other,
        };
    }

    /// The work has sent the statement that completes the claim in its transaction. From now on no response is
    /// recorded in another way: it might not be that of the rows.
    pub(crate) fn in_doubt(&mut self) {
        self.stage = match mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Running(running) => Stage::InDoubt(running),
            other => other,
        };
    }

    /// The transaction of the work is committed.
    pub(crate) fn committed(&mut self) {
        self.stage = match mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Running(running) | Stage::InDoubt(running) => Stage::Committed(running),
            other => other,
        };
    }

    /// The store has heard how the work has ended, or was never asked.
    pub(crate) fn finished(&mut self) {
        self.stage = Stage::Finished;
    }

    /// The owner goes, wherever it stands.
    pub(crate) fn cleanup(&mut self) -> Cleanup<S, R, A> {
        match mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Sent(claim) => Cleanup::Undo(claim),
            // A release finds the record where the transaction was committed, and leaves it.
            Stage::Running(running) | Stage::InDoubt(running) => match self.on_drop {
                ExpiredLease::Reexecute => Cleanup::Release(running),
                ExpiredLease::Refuse => Cleanup::Lapse(running),
            },
            Stage::Answered(answer) => Cleanup::Record(answer),
            Stage::Committed(_) | Stage::Finished => Cleanup::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Plain = ClaimState<(), (), ()>;

    #[test]
    fn what_is_left_follows_from_where_it_stands() {
        for on_drop in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
            let mut state = Plain::sent((), on_drop);
            assert_eq!(state.clone().cleanup(), Cleanup::Undo(()));
            state.claimed(|()| ());
            let cut_off = match on_drop {
                ExpiredLease::Reexecute => Cleanup::Release(()),
                ExpiredLease::Refuse => Cleanup::Lapse(()),
            };
            assert_eq!(state.clone().cleanup(), cut_off);
            let mut free = state.clone();
            free.free_on_drop();
            assert_eq!(free.clone().cleanup(), Cleanup::Release(()));
            free.lapse_on_drop();
            assert_eq!(free.cleanup(), Cleanup::Lapse(()));
            state.answered(|()| ());
            state.free_on_drop();
            assert_eq!(state.clone().cleanup(), Cleanup::Record(()));
            state.finished();
            assert_eq!(state.cleanup(), Cleanup::Nothing);
        }
    }

    #[test]
    fn committed_work_leaves_nothing_to_do() {
        for is_in_doubt in [false, true] {
            let mut state = Plain::sent((), ExpiredLease::Reexecute);
            state.claimed(|()| ());
            if is_in_doubt {
                state.in_doubt();
            }
            state.committed();
            state.free_on_drop();
            state.answered(|()| ());
            assert_eq!(state.cleanup(), Cleanup::Nothing);
        }
    }

    #[test]
    fn work_in_doubt_is_never_recorded() {
        for on_drop in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
            let mut state = Plain::sent((), on_drop);
            state.claimed(|()| ());
            state.in_doubt();
            state.answered(|()| ());
            let cut_off = match on_drop {
                ExpiredLease::Reexecute => Cleanup::Release(()),
                ExpiredLease::Refuse => Cleanup::Lapse(()),
            };
            assert_eq!(state.clone().cleanup(), cut_off);
            state.free_on_drop();
            assert_eq!(state.cleanup(), Cleanup::Release(()));
        }
    }

    #[test]
    fn an_owner_goes_once() {
        let mut state = Plain::sent((), ExpiredLease::Reexecute);
        assert_eq!(state.cleanup(), Cleanup::Undo(()));
        assert_eq!(state.cleanup(), Cleanup::Nothing);
    }

    #[test]
    fn only_work_that_runs_can_be_answered() {
        let mut state = Plain::sent((), ExpiredLease::Reexecute);
        state.answered(|()| ());
        assert_eq!(state.cleanup(), Cleanup::Undo(()));
    }
}
