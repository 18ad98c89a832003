use std::sync::Arc;

use stateright::{Model, Property};
use tokio::time::Instant;

use super::{
    action::{Action, ReplyIs},
    breach::Breach,
    call::{Call, Op},
    mutant::Mutant,
    request::{Doing, End, Request, RunState, Work},
    rules::{CLAIMS, LEASE, PATIENCE, Rules, number_of, owner_of},
    state::{KEYS, Seen, State},
    step::Step,
};
use crate::{
    claim::{ClaimState, Cleanup},
    config::ExpiredLease,
};

/// The promise.
pub(super) const RUNS_ONCE: &str = "it runs once while its claim is held or its answer recorded";
pub(super) const REPLAYS: &str = "what is replayed is the answer of the same work";
pub(super) const KEEPS: &str = "a recorded answer is told to all";
pub(super) const FREES: &str = "a dead owner blocks nobody";
pub(super) const OWNS: &str = "only its owner changes a claim or a record";
pub(super) const COMMITS_ONCE: &str = "the rows of one work are committed once";
pub(super) const CLEANS_UP: &str = "nobody goes and leaves a claim behind";

/// All that can happen to some requests within some time, with so much going wrong.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    rules: Rules,
    ticks: u8,
    faults: u8,
}

impl Walk {
    pub(super) fn new(on_expired_lease: ExpiredLease, ticks: u8, faults: u8) -> Self {
        let rules = Rules {
            began: Instant::now(),
            on_expired_lease,
            mutant: None,
            commits: false,
            prefix: Arc::from(""),
        };
        Self {
            rules,
            ticks,
            faults,
        }
    }

    /// With handlers that commit their response in a transaction of their own.
    pub(super) fn with_commits(mut self) -> Self {
        self.rules.commits = true;
        self
    }

    pub(super) fn with(mut self, mutant: Mutant) -> Self {
        self.rules.mutant = Some(mutant);
        self
    }

    fn start(&self, work: [(usize, u8); 3]) -> State {
        let requests = work.map(|(key, fingerprint)| {
            let mut claim_state = ClaimState::sent((), self.rules.on_expired_lease);
            claim_state.finished();
            Request {
                work: Work { key, fingerprint },
                doing: Doing::NotYet,
                claims: 0,
                sent_again: false,
                claim_state,
                job: None,
                run: None,
            }
        });
        State {
            now: 0,
            keys: [const { None }; KEYS],
            requests: requests.into(),
            late: Vec::new(),
            last_write: None,
            has_failed_over: false,
            faults_left: self.faults,
            breach: None,
            seen: Seen::default(),
        }
    }

    /// What a request, or its background, can do next.
    fn actions_of(&self, state: &State, by: usize, actions: &mut Vec<Action>) {
        let request = &state.requests[by];
        let may_fail = state.faults_left > 0;
        let is_alive = !matches!(request.doing, Doing::NotYet | Doing::Over | Doing::Killed);
        match request.doing {
            // Two that ask for the same are the same until they come.
            Doing::NotYet => {
                let is_before = |it: &Request| it.doing == Doing::NotYet && it.work == request.work;
                if !state.requests[..by].iter().any(is_before) {
                    actions.push(Action::Arrive(by));
                }
            }
            Doing::Calling(call) => {
                let may_be_repeated = call.op == Op::Begin && !request.sent_again;
                let replies = match call.reply {
                    None if may_fail => &[ReplyIs::Heard, ReplyIs::Slow, ReplyIs::Lost][..],
                    None => &[ReplyIs::Heard],
                    Some(_) => &[],
                };
                actions.extend(replies.iter().map(|&reply| Action::Execute { by, reply }));
                if call.reply.is_none() && may_fail && may_be_repeated {
                    let reply = ReplyIs::LostAndSentAgain;
                    actions.extend([Action::SendAgain(by), Action::Execute { by, reply }]);
                }
                if call.reply.is_some() && !is_overdue(&call, state.now) {
                    actions.push(Action::Hear(by));
                }
                if call.reply.is_some() || may_fail {
                    actions.push(Action::TimeOut(by));
                }
            }
            Doing::Waiting(seen) => {
                let claim = state.claim(request.work.key);
                let is_there = claim.is_some_and(|claim| seen.is(&claim.token));
                let lapsed =
                    claim.is_some_and(|claim| claim.lapses_at <= self.rules.instant(state.now));
                if (!is_there || lapsed) && request.claims < CLAIMS {
                    actions.push(Action::Wake(by));
                }
                actions.push(Action::GiveUp(by));
            }
            Doing::Handling if self.rules.commits => {
                actions.extend([Action::Commit(by), Action::Fail(by)]);
            }
            Doing::Handling => actions.extend([Action::Answer(by), Action::Fail(by)]),
            Doing::Over | Doing::Killed => {}
        }
        if may_fail && is_alive {
            actions.extend([Action::Drop(by), Action::Kill(by)]);
        }
        if request.job.is_some() {
            actions.push(Action::Work { by, is_heard: true });
            if may_fail {
                actions.push(Action::Work {
                    by,
                    is_heard: false,
                });
            }
            if may_fail && !is_alive {
                actions.push(Action::Kill(by));
            }
        }
        if is_renewed(request) && is_due(request.run, state.now) {
            actions.push(Action::Renew(by));
        }
    }

    /// A claim that is held though nothing will ever end it but its lease.
    fn is_left_behind(&self, state: &State) -> bool {
        let now = self.rules.instant(state.now);
        (0..KEYS).any(|key| {
            let claim = state.claim(key).filter(|claim| claim.lapses_at > now);
            claim.is_some_and(|claim| {
                let owner = owner_of(number_of(&claim.token));
                let end = state.requests[owner].run.and_then(|run| run.end);
                // It was cut off, and its policy is not to be followed.
                let is_meant =
                    self.rules.on_expired_lease == ExpiredLease::Refuse && end == Some(End::CutOff);
                state.is_gone(owner) && !is_meant && !state.has_failed_over
            })
        })
    }
}

/// Nobody waits for the reply any more.
fn is_overdue(call: &Call, now: u8) -> bool {
    now > call.sent_at + PATIENCE
}

fn is_renewed(request: &Request) -> bool {
    let is_recorded_later = request
        .job
        .is_some_and(|job| job.cleanup == Cleanup::Record(()));
    request.doing == Doing::Handling || is_recorded_later
}

fn is_due(run: Option<RunState>, now: u8) -> bool {
    run.is_some_and(|run| run.lapses_at < now + LEASE)
}

impl Model for Walk {
    type State = State;
    type Action = Action;

    /// Three retries; two and another request with the same key; two and one with another key.
    fn init_states(&self) -> Vec<State> {
        let works = [
            [(0, 0), (0, 0), (0, 0)],
            [(0, 0), (0, 0), (0, 1)],
            [(0, 0), (0, 0), (1, 0)],
        ];
        works.map(|work| self.start(work)).into()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for by in 0..state.requests.len() {
            self.actions_of(state, by, actions);
        }
        actions.extend((0..state.late.len()).map(Action::ExecuteLate));
        let may_fail = state.faults_left > 0;
        if may_fail && state.last_write.is_some() && !state.has_failed_over {
            actions.push(Action::FailOver);
        }
        // Without a fault nobody waits for a reply for too long.
        let is_in_time = state.requests.iter().all(|request| match request.doing {
            Doing::Calling(call) => !is_overdue(&call, state.now + 1),
            _ => true,
        });
        if state.now < self.ticks && (is_in_time || may_fail) {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut step = Step::new(&self.rules, last.clone());
        step.act(action);
        Some(step.state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn always(name: &'static str, holds: fn(&Walk, &State) -> bool) -> Property<Walk> {
            Property::always(name, holds)
        }
        fn sometimes(name: &'static str, seen: fn(&Walk, &State) -> bool) -> Property<Walk> {
            Property::sometimes(name, seen)
        }
        let mut all = match self.rules.on_expired_lease {
            ExpiredLease::Reexecute if self.rules.commits => vec![
                sometimes("a dead owner is followed", |_, state| state.seen.takeover),
                sometimes("a commit is carried out unheard", |_, state| {
                    let is_unheard = |it: &Request| {
                        let is_over = matches!(it.doing, Doing::Over | Doing::Killed);
                        is_over
                            && it
                                .run
                                .is_some_and(|run| run.is_recorded && run.end == Some(End::Commit))
                    };
                    state.requests.iter().any(is_unheard)
                }),
            ],
            ExpiredLease::Reexecute => vec![
                sometimes("a dead owner is followed", |_, state| state.seen.takeover),
                sometimes("a first is too late", |_, state| state.seen.late_first),
                sometimes("an answer fills a vacancy", |_, state| {
                    state.seen.vacancy_filled
                }),
            ],
            ExpiredLease::Refuse => vec![always("nobody follows a dead owner", |_, state| {
                !state.seen.takeover
            })],
        };
        all.extend([
            always(RUNS_ONCE, |_, state| state.breach != Some(Breach::RanTwice)),
            always(REPLAYS, |_, state| {
                state.breach != Some(Breach::WrongReplay)
            }),
            always(KEEPS, |_, state| state.breach != Some(Breach::AnswerLost)),
            always(FREES, |_, state| state.breach != Some(Breach::Blocked)),
            always(OWNS, |_, state| state.breach != Some(Breach::Stolen)),
            always(COMMITS_ONCE, |_, state| {
                state.breach != Some(Breach::CommittedTwice)
            }),
            always(CLEANS_UP, |walk, state| !walk.is_left_behind(state)),
            sometimes("who has waited is told the answer", |_, state| {
                state.seen.replay_after_wait
            }),
            sometimes("an undo finds its claim", |_, state| state.seen.undo),
            sometimes(
                "a claim is carried out again after its release",
                |_, state| state.seen.carried_out_again,
            ),
            sometimes("work runs again after a failover", |_, state| {
                let runs = state
                    .requests
                    .iter()
                    .filter(|it| it.run.is_some() && it.work.key == 0);
                state.has_failed_over && runs.count() > 1
            }),
        ]);
        all
    }
}
