use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    HANDLER, SLACK, WAIT,
    answer::Answer,
    course::Course,
    load::CLIENTS,
    long_runs::is_long,
    target::Target,
    told::{Seen, Told},
};

/// The longest an answer takes: one call to the store before the handler, and one after.
fn longest(told: &Told) -> Duration {
    told.store_timeout() * 2 + HANDLER
}

/// All that clients were answered, around a fault.
#[derive(Default)]
pub(super) struct Answers(Vec<Answer>);

impl Answers {
    pub(super) fn add(&mut self, answers: Vec<Answer>) {
        self.0.extend(answers);
    }

    /// What was asked for.
    pub(super) fn used(&self) -> BTreeSet<(Target, usize)> {
        let all = self.0.iter();
        all.map(|answer| (answer.target, answer.number)).collect()
    }

    /// What was first answered, before then, by who remembers it; and when.
    pub(super) fn before(&self, then: Instant) -> BTreeMap<(Target, usize), Instant> {
        let mut first = BTreeMap::new();
        for answer in &self.0 {
            if answer.status == 201 && answer.target.replays() && answer.came < then {
                let came = first.entry((answer.target, answer.number));
                let came = came.or_insert(answer.came);
                *came = answer.came.min(*came);
            }
        }
        first
    }

    /// `befalls` tells what the fault concerns.
    pub(super) fn assert_as_told(
        &self,
        told: &Told,
        course: &Course,
        befalls: impl Fn(Target, usize) -> bool,
    ) {
        println!("{}: {:?}", told.what, self.counted());
        for answer in &self.0 {
            assert!(answer.may_be_seen(told.seen), "{}: {answer:?}", told.what);
            assert_in_time(answer, told);
        }
        let (concerned, others): (Vec<_>, Vec<_>) =
            (self.0.iter()).partition(|answer| befalls(answer.target, answer.number));
        for target in Target::ALL {
            let of_target = |all: &[&Answer]| -> Vec<Answer> {
                let all = all.iter().filter(|answer| answer.target == target);
                all.copied().cloned().collect()
            };
            assert_seen(target, &of_target(&concerned), told, course);
            match told.seen {
                Seen::OutageSpreads => assert_reached(target, &of_target(&others), told),
                _ => assert_served(target, &of_target(&others), told),
            }
        }
    }

    /// How often what was seen, for whoever wants to know what the table is made of.
    fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for answer in &self.0 {
            *counted.entry(answer.kind()).or_default() += 1;
        }
        counted
    }
}

fn assert_in_time(answer: &Answer, told: &Told) {
    if is_long(answer.number) && answer.is_a_run() {
        return;
    }
    let took = answer.came - answer.sent;
    let longest = match answer.target.waits() {
        true => longest(told) + WAIT,
        false => longest(told),
    };
    assert!(
        took < longest + SLACK,
        "{}: {took:?}, {answer:?}",
        told.what
    );
}

/// What is concerned sees what is told.
fn assert_seen(target: Target, answers: &[Answer], told: &Told, course: &Course) {
    let what = told.what;
    let meanwhile = || {
        let all = answers.iter();
        all.filter(|answer| course.lasted(answer.sent, answer.came))
    };
    match told.seen {
        Seen::Nothing | Seen::Delay => assert_served(target, answers, told),
        Seen::Outage | Seen::OutageOfShard | Seen::OutageSpreads => {
            let expected = if target.fails_open() { 201 } else { 503 };
            assert!(meanwhile().count() > 0, "{what}: {target:?} was not asked");
            for answer in meanwhile() {
                assert_eq!(answer.status, expected, "{what}: {answer:?}");
                assert!(!answer.is_replay, "{what}: {answer:?}");
            }
        }
        Seen::NoFirstRuns => {
            let failed = if target.fails_open() { 201 } else { 503 };
            let is_told = |answer: &Answer| {
                answer.is_replay || answer.status == failed || answer.status == 409
            };
            assert!(meanwhile().all(is_told), "{what}: {target:?}");
            let fails = meanwhile().any(|answer| !answer.is_replay && answer.status == failed);
            assert!(fails, "{what}: {target:?} was served");
        }
        Seen::Refused => assert!(
            meanwhile().any(|answer| answer.status == 409),
            "{what}: {target:?} was not refused"
        ),
    }
}

/// A machine that stalls may cost each client one, unless the store has time enough for that.
fn assert_served(target: Target, answers: &[Answer], told: &Told) {
    let refused = answers.iter().filter(|answer| answer.status == 503);
    let may_be_refused = match told.seen {
        Seen::Nothing => 0,
        _ => CLIENTS,
    };
    assert!(
        refused.count() <= may_be_refused,
        "{}: {target:?} was refused",
        told.what
    );
}

/// The fault reaches what it does not concern at first.
fn assert_reached(target: Target, answers: &[Answer], told: &Told) {
    let is_reached = answers.iter().any(|answer| answer.status == 503);
    assert!(
        is_reached || target.fails_open(),
        "{}: {target:?} was not reached",
        told.what
    );
}
