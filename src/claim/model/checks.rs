use super::{
    breach::Breach,
    call::StoreReply,
    request::{End, Request, RunState},
    rules::{fingerprint_of, owner_of},
    step::Step,
};
use crate::{config::ExpiredLease, store::memory::transitions::SlotRef};

/// The checks of the promise, where it could be broken.
impl Step<'_> {
    /// Returns whether the handler of another request excludes all others: its response is in the store, or
    /// its claim was held when the other was made.
    pub(super) fn is_not_to_be_followed(&self, other: &Request, claimed_at: u8) -> bool {
        let Some(run) = &other.run else {
            return false;
        };
        let is_held =
            run.lapses_at > claimed_at || self.rules.on_expired_lease == ExpiredLease::Refuse;
        run.is_recorded
            || match run.end {
                Some(End::Free) => false,
                // Without a record its rows are undone, or will be: the commit finds no claim any more.
                Some(End::Commit) => false,
                Some(End::CutOff) => self.rules.on_expired_lease == ExpiredLease::Refuse,
                Some(End::Answer) | None => is_held,
            }
    }

    /// Checks that all duplicates get the recorded response, and that a crashed owner blocks no request.
    pub(super) fn check_reply(&mut self, by: usize, reply: StoreReply) {
        let (work, now) = (self.request(by).work, self.rules.instant(self.state.now));
        if self.state.has_failed_over {
            return;
        }
        let runs = self.state.requests.iter().filter(|it| it.work == work);
        let mut recorded = runs.filter_map(|it| it.run.filter(|run| run.is_recorded));
        if recorded.any(|run| reply != StoreReply::Finished(run.token)) {
            self.state.breach(Breach::AnswerLost);
        }
        let is_free = match self.state.found(work.key, now) {
            None => true,
            Some(SlotRef::Claim(claim)) => {
                let is_same = claim.fingerprint == Some(fingerprint_of(work));
                is_same
                    && claim.lapses_at <= now
                    && self.rules.on_expired_lease == ExpiredLease::Reexecute
            }
            Some(SlotRef::Finished(_)) => false,
        };
        if is_free && !matches!(reply, StoreReply::Claimed { .. }) {
            self.state.breach(Breach::Blocked);
        }
    }

    /// A replay is the response of a run of the same work, and of the one that has been recorded.
    pub(super) fn check_replay(&mut self, by: usize, run: u16) {
        let work = self.request(by).work;
        self.state.seen.replay_after_wait |= self.request(by).claims > 1;
        let first = &self.state.requests[owner_of(run)];
        let answered = |it: &RunState| {
            // Cut off in doubt, it may have been committed.
            let is_committed = self.rules.commits && it.is_recorded;
            it.token == run && (it.end == Some(End::Answer) || is_committed)
        };
        if first.work != work || !first.run.as_ref().is_some_and(answered) {
            self.state.breach(Breach::WrongReplay);
        }
    }
}
