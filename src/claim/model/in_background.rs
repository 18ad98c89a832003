use super::{
    call::{Op, StoreReply},
    mutant::Mutant,
    request::{Doing, End, Job},
    rules::LEASE,
    step::Step,
};
use crate::claim::Cleanup;

/// What happens when the request has gone.
impl Step<'_> {
    /// A call comes to nothing that is known. The handler returns a commit in doubt as an error, which frees the key.
    pub(super) fn leave_unheard(&mut self, by: usize) {
        let is_in_doubt = self.is_committing(by);
        if is_in_doubt {
            self.request(by).claim_state.in_doubt();
            self.request(by).claim_state.free_on_drop();
        }
        self.leave(by, Doing::Over);
        if is_in_doubt {
            self.note(by, |run| run.end = Some(End::Commit));
        }
    }

    /// The guard of a request is dropped.
    pub(super) fn leave(&mut self, by: usize, doing: Doing) {
        let now = self.state.now;
        let is_in_doubt = self.is_committing(by);
        self.cut_off(by);
        if is_in_doubt {
            self.request(by).claim_state.in_doubt();
        }
        let cleanup = match self.request(by).claim_state.cleanup() {
            Cleanup::Release(()) if is_in_doubt && self.rules.has(Mutant::RecordedInDoubt) => {
                Cleanup::Record(())
            }
            Cleanup::Lapse(()) if is_in_doubt && self.rules.has(Mutant::ReleasedInDoubt) => {
                Cleanup::Release(())
            }
            Cleanup::Record(()) if self.rules.has(Mutant::AnswerReleased) => Cleanup::Release(()),
            Cleanup::Undo(()) if self.rules.has(Mutant::NotUndone) => Cleanup::Nothing,
            cleanup => cleanup,
        };
        let until = match cleanup {
            Cleanup::Undo(()) => Some(now + self.rules.search()),
            Cleanup::Release(()) => Some(now + LEASE),
            Cleanup::Record(()) => Some(u8::MAX),
            Cleanup::Lapse(()) | Cleanup::Nothing => None,
        };
        let request = self.request(by);
        request.doing = doing;
        request.job = until.map(|until| Job { cleanup, until });
    }

    /// One call of what a request has left to the background.
    pub(super) fn work(&mut self, by: usize, is_heard: bool) {
        let Some(job) = self.request(by).job else {
            return;
        };
        if !is_heard {
            self.fault();
        }
        let (token, now) = (self.token(by), self.state.now);
        let op = match job.cleanup {
            Cleanup::Record(()) => Op::Complete,
            _ => Op::Release,
        };
        let reply = self.execute(by, token, op);
        let is_found = reply == StoreReply::Held(true);
        let sent_again = self.request(by).sent_again;
        let is_done = match job.cleanup {
            Cleanup::Undo(()) if is_heard => {
                self.state.seen.undo |= is_found;
                let is_all = !sent_again || self.rules.has(Mutant::UndoneAtFirstFind);
                is_found && is_all || now >= job.until || self.rules.has(Mutant::UndoneOnce)
            }
            _ => is_heard || now >= job.until,
        };
        let leaves_undo = sent_again
            && match job.cleanup {
                Cleanup::Release(()) => !self.rules.has(Mutant::NotUndoneAfterRun),
                Cleanup::Record(()) => !is_found,
                _ => false,
            };
        let until = now + self.rules.search();
        let request = self.request(by);
        if is_done {
            let undo = Job {
                cleanup: Cleanup::Undo(()),
                until,
            };
            request.job = leaves_undo.then_some(undo);
        } else if let (Some(job), Cleanup::Undo(()), false) =
            (&mut request.job, job.cleanup, is_heard)
        {
            job.until = until;
        }
    }
}
