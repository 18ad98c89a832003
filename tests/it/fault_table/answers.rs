use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    HANDLER, SLACK, STORE_TIMEOUT, WAIT,
    scene::Target,
    table::{Row, Seen},
};

/// The longest an answer takes: one call to the store before the handler, and one after.
const LONGEST: Duration = STORE_TIMEOUT.saturating_mul(2).saturating_add(HANDLER);

/// What a client was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) target: Target,
    pub(super) number: usize,
    pub(super) sent: Instant,
    pub(super) came: Instant,
    pub(super) status: u16,
    /// The name of the problem, if it is one.
    pub(super) problem: Option<String>,
    pub(super) is_replay: bool,
}

/// All that clients were answered, around a fault.
pub(super) struct Answers {
    row: &'static Row,
    all: Vec<Answer>,
    struck: Instant,
    heals: Instant,
}

impl Answers {
    pub(super) fn of(row: &'static Row) -> Self {
        Self {
            row,
            all: Vec::new(),
            struck: Instant::now(),
            heals: Instant::now(),
        }
    }

    /// From now on the fault is there.
    pub(super) fn struck(&mut self) {
        self.struck = Instant::now();
    }

    /// From now on it may be gone.
    pub(super) fn heals(&mut self) {
        self.heals = Instant::now();
    }

    pub(super) fn add(&mut self, answers: Vec<Answer>) {
        self.all.extend(answers);
    }

    /// What was asked for.
    pub(super) fn used(&self) -> BTreeSet<(Target, usize)> {
        let all = self.all.iter();
        all.map(|answer| (answer.target, answer.number)).collect()
    }

    pub(super) fn assert_as_told(&self) {
        let (fault, seen) = (self.row.fault, self.row.seen);
        println!("{fault:?}: {:?}", self.counted());
        for answer in &self.all {
            let took = answer.came - answer.sent;
            let longest = if answer.target.waits() {
                LONGEST + WAIT
            } else {
                LONGEST
            };
            assert!(took < longest + SLACK, "{fault:?}: {took:?}, {answer:?}");
            assert!(may_be_seen(seen, answer), "{fault:?}: {answer:?}");
        }
        for target in Target::ALL {
            let of_target = self.all.iter().filter(|answer| answer.target == target);
            let of_target: Vec<_> = of_target.collect();
            let refused = of_target.iter().filter(|answer| answer.status == 503);
            let meanwhile = of_target
                .iter()
                .filter(|answer| answer.sent > self.struck && answer.came < self.heals);
            match seen {
                // A machine that stalls may cost one.
                Seen::Nothing | Seen::Delay => assert!(
                    refused.count() * 10 <= of_target.len(),
                    "{fault:?}: {target:?} was refused"
                ),
                Seen::Moment => assert!(
                    meanwhile.clone().any(|answer| answer.status == 201),
                    "{fault:?}: {target:?} was not served between two moments"
                ),
                Seen::Outage => {
                    let expected = if target.fails_open() { 201 } else { 503 };
                    assert!(
                        meanwhile.clone().count() > 0,
                        "{fault:?}: {target:?} was not asked"
                    );
                    for answer in meanwhile {
                        assert_eq!(answer.status, expected, "{fault:?}: {answer:?}");
                        assert!(!answer.is_replay, "{fault:?}: {answer:?}");
                    }
                }
                Seen::Refused => assert!(
                    meanwhile.clone().any(|answer| answer.status == 409),
                    "{fault:?}: {target:?} was not refused"
                ),
            }
        }
    }

    /// How often what was seen, for whoever wants to know what the table is made of.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for answer in &self.all {
            let problem = answer.problem.as_deref().unwrap_or(match answer.is_replay {
                true => "replay",
                false => "run",
            });
            let (target, status) = (answer.target, answer.status);
            *counted
                .entry(format!("{target:?} {status} {problem}"))
                .or_default() += 1;
        }
        counted
    }
}

/// What the contract allows.
fn may_be_seen(seen: Seen, answer: &Answer) -> bool {
    let Answer {
        target,
        status,
        problem,
        ..
    } = answer;
    match (status, problem.as_deref()) {
        (201, None) => true,
        (409, Some("busy")) => !target.replays(),
        (409, Some("in-flight")) => target.replays(),
        (409, Some("response-not-stored")) => target.replays() && seen == Seen::Refused,
        (503, Some("store-unavailable")) => !target.fails_open(),
        _ => false,
    }
}
