use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    action::{Action, ReplyIs},
    breach::Breach,
    call::{Call, Late, Op, Reply},
    mutant::Mutant,
    request::{Doing, End, Job, Request, Run, Work},
    state::{Seen, State},
};
use crate::{
    Fingerprint,
    claim::{Begun, Course, Left, meaning},
    store::{
        Answer, Begin, Headers, Held, NewClaim, OnLapsed, OwnerToken, Record, StoreKey,
        memory::life::{self, Change, Claim, Found, Holding},
    },
};

/// How long a claim is held, in ticks of a second.
pub(super) const LEASE: u8 = 2;
/// How long a dead owner is remembered after that, as the middleware has it.
const AFTERLIFE: u8 = 2 * LEASE;
/// The same where dead owners are not to be followed: for good.
const FOR_GOOD: u8 = 60;
/// How long a call is waited for. Shorter than a lease, as the builders see to.
pub(super) const PATIENCE: u8 = 1;
const RETENTION: Duration = Duration::from_secs(60);

/// What is the same in all states: the rules.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) began: Instant,
    pub(super) on_lapsed: OnLapsed,
    pub(super) mutant: Option<Mutant>,
    pub(super) prefix: Arc<str>,
}

/// A state, and what one action makes of it.
pub(super) struct Step<'a> {
    rules: &'a Rules,
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
            Action::TimeOut(by) => {
                // A slow reply was the fault.
                if matches!(
                    self.request(by).doing,
                    Doing::Calling(Call { reply: None, .. })
                ) {
                    self.fault();
                }
                self.abandon_call(by);
                self.leave(by, Doing::Over);
            }
            Action::ExecuteLate(nth) => {
                let Late { by, token, op, .. } = self.state.late.remove(nth);
                self.execute(by, token, op);
            }
            Action::Answer(by) => {
                self.note(by, |run| run.end = Some(End::Answer));
                self.request(by).course.answered(|()| ());
                self.call(by, Op::Complete);
            }
            Action::Fail(by) => {
                self.note(by, |run| run.end = Some(End::Free));
                self.request(by).course.free_on_drop();
                self.call(by, Op::Release);
            }
            Action::Renew(by) => self.renew(by),
            Action::GiveUp(by) => {
                if self.is(Mutant::WaiterDeletes) {
                    let key = self.request(by).work.key;
                    self.change(by, key, Change::Vacate);
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
                request.course.settled();
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
            let is_free = |run: &Run| match run.end {
                Some(End::Free) => true,
                Some(End::CutOff) => self.rules.on_lapsed == OnLapsed::TakeOver,
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

    fn fault(&mut self) {
        self.state.faults_left -= 1;
        if self.state.faults_left == 0 {
            self.state.last_write = None;
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.rules.mutant == Some(mutant)
    }

    fn request(&mut self, by: usize) -> &mut Request {
        &mut self.state.requests[by]
    }

    /// Notes something of the run of a request, which has begun one.
    fn note(&mut self, by: usize, note: impl FnMut(&mut Run)) {
        self.request(by).run.as_mut().into_iter().for_each(note);
    }

    fn instant(&self, tick: u8) -> Instant {
        self.rules.began + Duration::from_secs(tick.into())
    }

    /// Makes a claim of its own for each time that a request claims.
    fn claim(&mut self, by: usize) {
        let course = Course::sent((), self.rules.on_lapsed);
        let request = self.request(by);
        request.claims += 1;
        request.course = course;
        self.call(by, Op::Begin);
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

    /// The guard of a request is dropped.
    fn leave(&mut self, by: usize, doing: Doing) {
        self.cut_off(by);
        let now = self.state.now;
        let left = match self.request(by).course.left() {
            Left::Record(()) if self.is(Mutant::AnswerReleased) => Left::Release(()),
            Left::Undo(()) if self.is(Mutant::NotUndone) => Left::Nothing,
            left => left,
        };
        let until = match left {
            Left::Undo(()) => Some(now + self.search()),
            Left::Release(()) => Some(now + LEASE),
            Left::Record(()) => Some(u8::MAX),
            Left::Lapse(()) | Left::Nothing => None,
        };
        let request = self.request(by);
        request.doing = doing;
        request.job = until.map(|until| Job { left, until });
    }

    /// How long an undo looks for its claim.
    fn search(&self) -> u8 {
        LEASE + self.afterlife()
    }

    fn afterlife(&self) -> u8 {
        match self.rules.on_lapsed {
            OnLapsed::TakeOver => AFTERLIFE,
            OnLapsed::Report => FOR_GOOD,
        }
    }

    fn cut_off(&mut self, by: usize) {
        let request = self.request(by);
        if request.doing == Doing::Handling
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
                self.leave(by, Doing::Over);
            }
        }
    }

    /// The store does what was asked, by the same decisions as the embedded one.
    fn execute(&mut self, by: usize, token: u16, op: Op) -> Reply {
        let now = self.instant(self.state.now);
        let work = self.request(by).work;
        let claim = self.new_claim(work, token);
        let lease = claim.lease();
        let found = self.state.found(work.key, now);
        let is_vacant = found.is_none();
        match op {
            Op::Begin => {
                let (begin, change) = match self.is(Mutant::NeverTakenOver) {
                    true => life::begin(found, &claim, self.rules.began),
                    false => life::begin(found, &claim, now),
                };
                if self.is(Mutant::ClaimInTwoSteps) && matches!(begin, Begin::Claimed { .. }) {
                    return Reply::Vacant;
                }
                let reply = self.reply(begin, &claim, is_vacant);
                self.check_reply(by, reply);
                self.change(by, work.key, change);
                reply
            }
            Op::Put => {
                let (_, change) = life::begin(None, &claim, now);
                self.change(by, work.key, change);
                let at = self.state.now;
                Reply::Claimed { at }
            }
            Op::Complete => {
                let record = record_of(claim.fingerprint, token);
                let found = found.filter(|_| !self.is(Mutant::CompletionOfAnything));
                let (held, change) = life::complete(found, &lease, &record, RETENTION, now);
                if held == Held::Yes {
                    self.state.seen.vacancy_filled |= is_vacant;
                    self.note(by, |run| run.is_recorded = true);
                } else {
                    self.state.seen.late_first = true;
                }
                self.change(by, work.key, change);
                Reply::Held(held == Held::Yes)
            }
            Op::Release => {
                let (held, change) = match self.is(Mutant::ReleaseOfAnything) && !is_vacant {
                    true => (Held::Yes, Change::Vacate),
                    false => life::release(found, &lease),
                };
                self.change(by, work.key, change);
                Reply::Held(held == Held::Yes)
            }
        }
    }

    fn reply(&mut self, begin: Begin, claim: &NewClaim, is_vacant: bool) -> Reply {
        if let Begin::Claimed { .. } = begin {
            self.state.seen.takeover |= !is_vacant;
            let at = self.state.now;
            return Reply::Claimed { at };
        }
        let begun = match (begin, self.is(Mutant::FingerprintIgnored)) {
            (Begin::Finished(record), true) => Begun::Finished(record),
            (begin, _) => meaning(begin, claim),
        };
        match begun {
            Begun::Finished(Record::Answer(answer)) => Reply::Finished(answer.status),
            Begun::InFlight(by) => Reply::InFlight(by),
            Begun::Mismatch | Begun::Lapsed => Reply::Refused,
            other => unreachable!("{other:?} does not follow from what the model stores"),
        }
    }

    /// Writes what was decided, if it changes anything, and sees whose it was.
    fn change(&mut self, by: usize, key: usize, change: Change) {
        let now = self.instant(self.state.now);
        let owner = match self.state.found(key, now) {
            Some(Found::Claim(claim)) if claim.lapses_at > now => Some(claim.token),
            Some(Found::Finished(finished)) => Some(finished.by),
            _ => None,
        };
        let holding = match change {
            Change::Keep => return,
            Change::Put(holding) => Some(holding),
            Change::Vacate => None,
            Change::Extend {
                lapses_at,
                forgotten_at,
            } => self.state.claim(key).map(|claim| {
                Holding::Claim(Claim {
                    lapses_at,
                    forgotten_at,
                    ..claim.clone()
                })
            }),
        };
        if owner.is_some_and(|owner| owner_of(number_of(&owner)) != by) {
            self.state.breach(Breach::Stolen);
        }
        self.state.write(key, holding);
    }

    fn hear(&mut self, by: usize) {
        let Doing::Calling(Call {
            reply: Some(reply), ..
        }) = self.request(by).doing
        else {
            return;
        };
        match reply {
            Reply::Vacant => self.call(by, Op::Put),
            Reply::Claimed { at } => self.begin_handler(by, at),
            Reply::InFlight(Some(seen)) => {
                let request = self.request(by);
                request.course.settled();
                request.doing = Doing::Waiting(seen);
            }
            Reply::InFlight(None) | Reply::Refused | Reply::Held(_) => self.end(by),
            Reply::Finished(run) => {
                self.check_replay(by, run);
                self.end(by);
            }
        }
    }

    fn end(&mut self, by: usize) {
        let request = self.request(by);
        request.course.settled();
        request.doing = Doing::Over;
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
        request.course.claimed(());
        request.doing = Doing::Handling;
        request.run = Some(Run {
            token,
            lapses_at: claimed_at + LEASE,
            end: None,
            is_recorded: false,
        });
    }

    /// Whether the handler of another request keeps everybody else's from running: its answer stands
    /// in the store, or its claim was held when the other was made.
    fn is_not_to_be_followed(&self, other: &Request, claimed_at: u8) -> bool {
        let Some(run) = &other.run else {
            return false;
        };
        let is_held = run.lapses_at > claimed_at || self.rules.on_lapsed == OnLapsed::Report;
        run.is_recorded
            || match run.end {
                Some(End::Free) => false,
                Some(End::CutOff) => self.rules.on_lapsed == OnLapsed::Report,
                Some(End::Answer) | None => is_held,
            }
    }

    /// A recorded answer is what everybody is told, and a key whose owner is dead blocks nobody.
    fn check_reply(&mut self, by: usize, reply: Reply) {
        let (work, now) = (self.request(by).work, self.instant(self.state.now));
        if self.state.has_failed_over {
            return;
        }
        let runs = self.state.requests.iter().filter(|it| it.work == work);
        let mut recorded = runs.filter_map(|it| it.run.filter(|run| run.is_recorded));
        if recorded.any(|run| reply != Reply::Finished(run.token)) {
            self.state.breach(Breach::AnswerLost);
        }
        let is_free = match self.state.found(work.key, now) {
            None => true,
            Some(Found::Claim(claim)) => {
                let is_same = claim.fingerprint == Some(fingerprint_of(work));
                is_same && claim.lapses_at <= now && self.rules.on_lapsed == OnLapsed::TakeOver
            }
            Some(Found::Finished(_)) => false,
        };
        if is_free && !matches!(reply, Reply::Claimed { .. }) {
            self.state.breach(Breach::Blocked);
        }
    }

    /// A replay is the answer of a run of the same work, and of the one that has been recorded.
    fn check_replay(&mut self, by: usize, run: u16) {
        let work = self.request(by).work;
        self.state.seen.replay_after_wait |= self.request(by).claims > 1;
        let first = &self.state.requests[owner_of(run)];
        let answered = |it: &Run| it.token == run && it.end == Some(End::Answer);
        if first.work != work || !first.run.as_ref().is_some_and(answered) {
            self.state.breach(Breach::WrongReplay);
        }
    }

    fn renew(&mut self, by: usize) {
        let (token, work) = (self.token(by), self.request(by).work);
        let now = self.instant(self.state.now);
        let lease = self.new_claim(work, token).lease();
        let (held, change) = life::renew(self.state.found(work.key, now), &lease, now);
        if held == Held::Yes {
            let lapses_at = self.state.now + LEASE;
            self.note(by, |run| run.lapses_at = lapses_at);
        }
        self.change(by, work.key, change);
    }

    /// One call of what a request has left to the background.
    fn work(&mut self, by: usize, is_heard: bool) {
        let Some(job) = self.request(by).job else {
            return;
        };
        if !is_heard {
            self.fault();
        }
        let (token, now) = (self.token(by), self.state.now);
        let op = match job.left {
            Left::Record(()) => Op::Complete,
            _ => Op::Release,
        };
        let reply = self.execute(by, token, op);
        let is_done = match job.left {
            Left::Undo(()) if is_heard => {
                let is_found = reply == Reply::Held(true);
                self.state.seen.undo |= is_found;
                is_found || now >= job.until || self.is(Mutant::UndoneOnce)
            }
            _ => is_heard || now >= job.until,
        };
        let search = self.search();
        let request = self.request(by);
        if is_done {
            request.job = None;
        } else if let (Some(job), Left::Undo(()), false) = (&mut request.job, job.left, is_heard) {
            job.until = now + search;
        }
    }

    fn token(&self, by: usize) -> u16 {
        token_of(by, self.state.requests[by].claims)
    }

    fn new_claim(&self, work: Work, token: u16) -> NewClaim {
        NewClaim {
            key: StoreKey::new(Arc::clone(&self.rules.prefix), [0; 32]),
            token: owner_token(token),
            fingerprint: Some(fingerprint_of(work)),
            lease: Duration::from_secs(LEASE.into()),
            afterlife: Duration::from_secs(self.afterlife().into()),
            on_lapsed: self.rules.on_lapsed,
        }
    }
}

/// So many claims a request makes at most.
pub(super) const CLAIMS: u16 = 2;

/// The number of a claim. It stands in its token, and as the status of its answer.
fn token_of(by: usize, claims: u16) -> u16 {
    let by = u16::try_from(by).unwrap_or(u16::MAX);
    by * CLAIMS + claims
}

fn owner_token(token: u16) -> OwnerToken {
    let [_, byte] = token.to_be_bytes();
    OwnerToken::from_bytes([byte; 16])
}

pub(super) fn number_of(token: &OwnerToken) -> u16 {
    token.as_bytes()[0].into()
}

/// Which request has made a claim.
pub(super) fn owner_of(token: u16) -> usize {
    usize::from((token - 1) / CLAIMS)
}

fn fingerprint_of(work: Work) -> Fingerprint {
    Fingerprint::new([work.fingerprint; 32])
}

fn record_of(fingerprint: Option<Fingerprint>, token: u16) -> Record {
    Record::Answer(Answer {
        fingerprint,
        status: token,
        headers: Headers::new(),
        body: Bytes::new(),
    })
}
