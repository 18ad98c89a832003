use std::collections::BTreeMap;

use super::{
    LEASE, STORE_TIMEOUT,
    answer::{Answer, Said},
    effects::Effects,
    event::{Fate, Micros},
    key::Key,
    probe::Probe,
    run::Run,
    violation::{
        Rule::{self, *},
        Violation,
    },
};

/// Redis reads its clock before a script, for the lease, and once more in it, for the fence. Between
/// the two the machine may do something else.
const BETWEEN_TWO_LOOKS: Micros = 100_000;
/// What the promise adds to a lease.
const A_SECOND: Micros = 1_000_000;

/// Everything that was not as promised.
pub(super) fn check(effects: &Effects, history: &[Answer], probes: &[Probe]) -> Vec<Violation> {
    let mut checker = Checker::default();
    for (name, key) in Key::all(&effects.runs, history) {
        checker.key = name.to_owned();
        checker.fences(&key);
        checker.successions(&key);
        checker.records(&key);
        checker.answers(&key);
    }
    for probe in probes {
        checker.key = probe.key.clone();
        checker.probe(probe, &effects.stalls);
    }
    checker.key = String::new();
    for claim in &effects.abandoned {
        checker.saw(ClaimsAreEnded, format!("the claim {claim} was left"));
    }
    checker.violations
}

#[derive(Default)]
struct Checker {
    key: String,
    violations: Vec<Violation>,
}

impl Checker {
    fn saw(&mut self, rule: Rule, seen: String) {
        let key = self.key.clone();
        self.violations.push(Violation { rule, key, seen });
    }

    fn fences(&mut self, key: &Key<'_>) {
        let mut fences = BTreeMap::new();
        for run in &key.runs {
            if let Some(other) = fences.insert(run.fence, &run.id) {
                self.saw(FencesAreTheirOwn, format!("{other} and {run:?}"));
            }
            if run.confirmed.is_none() {
                self.saw(
                    FencesAreTheirOwn,
                    format!("the store knows none of {run:?}"),
                );
            }
        }
    }

    fn successions(&mut self, key: &Key<'_>) {
        for (number, earlier) in key.runs.iter().enumerate() {
            for later in &key.runs[number + 1..] {
                self.succession(earlier, later);
            }
        }
    }

    fn succession(&mut self, earlier: &Run, later: &Run) {
        let begins = later.fence;
        let confirmed = earlier.confirmed.unwrap_or(earlier.fence);
        let is_free = earlier.was_transient_before(begins) && confirmed < begins;
        if is_free {
            return;
        }
        let lapses = confirmed + LEASE.as_micros() as Micros;
        if begins + BETWEEN_TWO_LOOKS < lapses {
            let early = lapses - begins;
            let seen = format!("{early} µs too early: after {earlier:?} {later:?}");
            self.saw(NobodyRunsBesideAValidClaim, seen);
        } else if !earlier.had_trouble(confirmed, begins) && !earlier.was_asking_at(lapses) {
            let seen = format!("after {earlier:?} {later:?}");
            self.saw(NobodyRunsAgainWithoutReason, seen);
        }
    }

    fn records(&mut self, key: &Key<'_>) {
        let records = key.records();
        let Some(first) = records.first() else {
            return;
        };
        let late = key.runs.iter().find(|run| run.fence > first.known);
        if let Some(late) = late {
            self.saw(NothingRunsAfterItsRecord, format!("{first:?}, {late:?}"));
        }
        let named: Vec<_> = records.iter().filter_map(|r| r.run.as_ref()).collect();
        let is_one = named.iter().all(|run| *run == named[0])
            && records
                .iter()
                .all(|record| record.is_whole == first.is_whole);
        if !is_one {
            self.saw(OneRecord, format!("{records:?}"));
        }
    }

    fn answers(&mut self, key: &Key<'_>) {
        let record = key.records().into_iter().next();
        for answer in &key.answers {
            self.truth(key, answer);
            let after = record.as_ref();
            let Some(record) = after.filter(|record| answer.asked > record.known) else {
                continue;
            };
            let is_the_record = match &answer.said {
                Said::Replayed { .. } => record.is_whole,
                Said::NotStored => !record.is_whole,
                Said::Unavailable => true,
                _ => false,
            };
            if !is_the_record {
                self.saw(OneAnswer, format!("{answer:?} after {record:?}"));
            }
        }
    }

    /// Whether an answer is that of a run, and could be given.
    fn truth(&mut self, key: &Key<'_>, answer: &Answer) {
        let (run, fates): (_, &[Fate]) = match &answer.said {
            Said::Created { run, streamed } if *streamed => (run, &[Fate::Streamed]),
            Said::Created { run, .. } => (run, &[Fate::Created]),
            Said::Replayed { run } => (run, &[Fate::Created, Fate::Streamed]),
            Said::Failed { run: Some(run) } => (run, &[Fate::Failed]),
            Said::Nonsense(_) => {
                self.saw(AnswersAreTrue, format!("{answer:?}"));
                return;
            }
            _ => return,
        };
        let Some(run) = key.run(run) else {
            self.saw(AnswersAreTrue, format!("{answer:?} of nobody"));
            return;
        };
        let is_its_end = (run.ended).is_some_and(|(_, fate)| fates.contains(&fate));
        // What is streamed is recorded when it has been sent.
        let is_told = match &answer.said {
            Said::Created { streamed: true, .. } => !matches!(run.recorded(), Some((_, false))),
            Said::Created { .. } | Said::Failed { .. } => run.was_told_before(answer.answered),
            _ => true,
        };
        if !is_its_end {
            self.saw(AnswersAreTrue, format!("{answer:?} of {run:?}"));
        }
        if !is_told {
            self.saw(ToldBeforeAnswered, format!("{answer:?} of {run:?}"));
        }
    }

    fn probe(&mut self, probe: &Probe, stalls: &[(Micros, Micros)]) {
        let stalled = stalls.iter().map(|(since, until)| {
            let since = (*since).max(probe.since);
            (*until).min(probe.until).saturating_sub(since)
        });
        let lease = LEASE.as_micros() as Micros;
        let timeout = STORE_TIMEOUT.as_micros() as Micros;
        let allowed = lease + A_SECOND + timeout + stalled.sum::<Micros>();
        let took = probe.until - probe.since;
        if took > allowed || !probe.is_answered {
            self.saw(NothingIsBlocked, format!("{took} µs, {allowed} allowed"));
        }
    }
}
