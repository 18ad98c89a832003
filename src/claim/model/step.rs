use super::{
    action::{Action, ReplyIs},
    breach::Breach,
    call::{Call, Late, Op, StoreReply},
    mutant::Mutant,
    request::{Doing, End, Request, RunState},
    rules::{LEASE, Rules, token_of},
    state::{Seen, State},
};
use crate::{claim::ClaimState, config::ExpiredLease, store::memory::transitions::Transition};

/// A state, and what one action makes of it.
pub(super) struct Step<'a> {
    pub(super) rules: &'a Rules,
    pub(super) state: State,
}

impl<'a> Step<'a> {
    pub(super) fn new(rules: &'a Rules, state: State) -> Self {
        Self { rules, state }
    }

    pub(super) fn act(&mut self, action: Action) {
        self.state.seen = Seen::default();
        match action {
            Action::Tick => self.pass(),
            Action::Arrive(by) | Action::Wake(by) => self.claim(by),
            Action::Execute { by, reply } => self.execute_call(by, reply),
            Action::Hear(by) => self.hear(by),
            Action::SendAgain(by) => {
                self.fault();
                self.abandon_call(by);
                self.send_again(by);
            }
            Action::TimeOut(by) => {
                // A slow reply was the fault.
                if matches!(
                    self.request(by).doing,
                    Doing::Calling(Call { reply: None, .. })
                ) {
                    self.fault();
                }
                self.abandon_call(by);
                self.leave_unheard(by);
            }
            Action::ExecuteLate(nth) => {
                let Late { by, token, op, .. } = self.state.late.remove(nth);
                let was_over = self.state.requests[by].doing == Doing::Over;
                let reply = self.execute(by, token, op);
                let is_claim = matches!(reply, StoreReply::Claimed { .. });
                self.state.seen.carried_out_again =
                    is_claim && was_over && self.state.requests[by].run.is_some();
            }
            Action::Answer(by) => {
                self.note(by, |run| run.end = Some(End::Answer));
                self.request(by).claim_state.answered(|()| ());
                self.call(by, Op::Complete);
            }
            Action::Commit(by) => {
                self.note(by, |run| run.end = Some(End::Commit));
                self.call(by, Op::Commit);
            }
            Action::Fail(by) => {
                self.note(by, |run| run.end = Some(End::Free));
                self.request(by).claim_state.free_on_drop();
                self.call(by, Op::Release);
            }
            Action::Renew(by) => self.renew(by),
            Action::GiveUp(by) => {
                if self.rules.has(Mutant::WaiterDeletes) {
                    let key = self.request(by).work.key;
                    self.change(by, key, Transition::Vacate);
                }
                self.request(by).doing = Doing::Over;
            }
            Action::Drop(by) => {
                self.fault();
                self.abandon_call(by);
                self.leave(by, Doing::Over);
            }
            Action::Kill(by) => {
                self.fault();
                self.abandon_call(by);
                self.cut_off(by);
                let request = self.request(by);
                request.doing = Doing::Killed;
                request.claim_state.finished();
                request.job = None;
            }
            Action::Work { by, is_heard } => self.work(by, is_heard),
            Action::FailOver => {
                if let Some((key, before)) = self.state.last_write.take() {
                    self.state.keys[key] = before;
                }
                self.state.has_failed_over = true;
                self.fault();
            }
        }
        self.forget();
    }

    /// What has gone and keeps nobody from running makes no difference any more.
    fn forget(&mut self) {
        for by in 0..self.state.requests.len() {
            if !self.state.is_gone(by) {
                continue;
            }
            let request = &mut self.state.requests[by];
            request.claims = 0;
            request.sent_again = false;
            let is_free = |run: &RunState| match run.end {
                Some(End::Free) => true,
                Some(End::CutOff) => {
                    self.rules.on_expired_lease == ExpiredLease::Reexecute && !run.is_recorded
                }
                Some(End::Commit) => !run.is_recorded,
                Some(End::Answer) | None => false,
            };
            request.run = request.run.filter(|run| !is_free(run));
        }
    }

    /// Nothing is under way for longer than an undo looks for it.
    fn pass(&mut self) {
        self.state.now += 1;
        let now = self.state.now;
        self.state.late.retain(|late| now <= late.sent_at + LEASE);
    }

    pub(super) fn fault(&mut self) {
        self.state.faults_left -= 1;
        if self.state.faults_left == 0 {
            self.state.last_write = None;
        }
    }

    pub(super) fn request(&mut self, by: usize) -> &mut Request {
        &mut self.state.requests[by]
    }

    /// Notes something of the run of a request, which has begun one.
    pub(super) fn note(&mut self, by: usize, note: impl FnMut(&mut RunState)) {
        self.request(by).run.as_mut().into_iter().for_each(note);
    }

    /// Makes a claim of its own for each time that a request claims.
    fn claim(&mut self, by: usize) {
        let claim_state = ClaimState::sent((), self.rules.on_expired_lease);
        let request = self.request(by);
        request.claims += 1;
        request.sent_again = false;
        request.claim_state = claim_state;
        self.call(by, Op::Begin);
    }

    /// Sends a claim once more, with the same token and within the same time.
    fn send_again(&mut self, by: usize) {
        let request = self.request(by);
        request.sent_again = true;
        if let Doing::Calling(call) = &mut request.doing {
            call.reply = None;
        }
    }

    fn call(&mut self, by: usize, op: Op) {
        let sent_at = self.state.now;
        self.request(by).doing = Doing::Calling(Call {
            op,
            sent_at,
            reply: None,
        });
    }

    /// What a request has asked for goes on without it.
    fn abandon_call(&mut self, by: usize) {
        if let Doing::Calling(Call {
            op,
            sent_at,
            reply: None,
        }) = self.request(by).doing
        {
            let token = self.token(by);
            let late = &mut self.state.late;
            late.push(Late {
                by,
                token,
                op,
                sent_at,
            });
            late.sort();
        }
    }

    pub(super) fn cut_off(&mut self, by: usize) {
        let is_committing = self.is_committing(by);
        let request = self.request(by);
        if (request.doing == Doing::Handling || is_committing)
            && let Some(run) = &mut request.run
        {
            run.end = Some(End::CutOff);
        }
    }

    fn execute_call(&mut self, by: usize, reply: ReplyIs) {
        let token = self.token(by);
        let Doing::Calling(call) = self.request(by).doing else {
            return;
        };
        let said = self.execute(by, token, call.op);
        self.request(by).doing = Doing::Calling(Call {
            reply: Some(said),
            ..call
        });
        match reply {
            ReplyIs::Heard => self.hear(by),
            ReplyIs::Slow => self.fault(),
            ReplyIs::Lost => {
                self.fault();
                self.leave_unheard(by);
            }
            ReplyIs::LostAndSentAgain => {
                self.fault();
                self.send_again(by);
            }
        }
    }

    fn hear(&mut self, by: usize) {
        let Doing::Calling(Call {
            reply: Some(reply), ..
        }) = self.request(by).doing
        else {
            return;
        };
        match reply {
            StoreReply::Vacant => self.call(by, Op::Put),
            StoreReply::Claimed { at } => self.begin_handler(by, at),
            // One that was sent twice does not wait here, so that a request leaves one thing behind.
            StoreReply::InFlight(Some(seen)) if !self.request(by).sent_again => {
                let request = self.request(by);
                request.claim_state.finished();
                request.doing = Doing::Waiting(seen);
            }
            StoreReply::InFlight(_) | StoreReply::Refused => {
                self.gone(by, Mutant::NotUndoneAfterRefusal);
            }
            StoreReply::Finished(run) => {
                self.check_replay(by, run);
                self.gone(by, Mutant::NotUndoneAfterRefusal);
            }
            StoreReply::Held(held) if self.is_committing(by) => match held {
                true => {
                    let request = self.request(by);
                    request.claim_state.committed();
                    request.doing = Doing::Over;
                }
                // Rolled back: the handler's error frees the key.
                false => {
                    self.request(by).claim_state.free_on_drop();
                    self.call(by, Op::Release);
                }
            },
            StoreReply::Held(_) if self.request(by).run.is_some_and(|run| run.is_recorded) => {
                self.request(by).claim_state.finished();
                self.request(by).doing = Doing::Over;
            }
            StoreReply::Held(_) => self.gone(by, Mutant::NotUndoneAfterRun),
        }
    }

    /// Whether a request waits for its commit.
    pub(super) fn is_committing(&self, by: usize) -> bool {
        let doing = self.state.requests[by].doing;
        matches!(doing, Doing::Calling(Call { op: Op::Commit, .. }))
    }

    /// The store has said that a request does not hold its key, or no longer; its guard goes.
    fn gone(&mut self, by: usize, forgets: Mutant) {
        let is_noted = self.request(by).sent_again && !self.rules.has(forgets);
        self.request(by).claim_state.gone(is_noted.then_some(()));
        self.leave(by, Doing::Over);
    }

    fn begin_handler(&mut self, by: usize, claimed_at: u8) {
        let (token, work) = (self.token(by), self.request(by).work);
        // A store that has forgotten a claim cannot keep others from its key.
        if !self.state.has_failed_over {
            let others = self.state.requests.iter().enumerate();
            let mut others = others.filter(|(other, it)| *other != by && it.work.key == work.key);
            if others.any(|(_, other)| self.is_not_to_be_followed(other, claimed_at)) {
                self.state.breach(Breach::RanTwice);
            }
        }
        let request = self.request(by);
        request.claim_state.claimed(|()| ());
        request.doing = Doing::Handling;
        request.run = Some(RunState {
            token,
            lapses_at: claimed_at + LEASE,
            end: None,
            is_recorded: false,
        });
    }

    pub(super) fn token(&self, by: usize) -> u16 {
        token_of(by, self.state.requests[by].claims)
    }
}
