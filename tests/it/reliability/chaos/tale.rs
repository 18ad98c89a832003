use super::{
    answer::{Answer, Said},
    checker::check,
    effects::Effects,
    event::{Call, Ending, Entry, Event, Fate, Micros},
    probe::Probe,
    violation::Rule,
};

/// A history that was made up, of one key. A run has the name of its claim, and times are in
/// milliseconds.
#[derive(Default)]
pub(super) struct Tale {
    lives: Vec<(Option<Micros>, Vec<Entry>)>,
    answers: Vec<Answer>,
    probes: Vec<Probe>,
}

fn micros(millis: u64) -> Micros {
    (1_000_000 + millis) * 1000
}

impl Tale {
    /// What follows happens in another process, which is killed then, if ever.
    pub(super) fn process(mut self, killed: Option<u64>) -> Self {
        self.lives.push((killed.map(micros), Vec::new()));
        self
    }

    pub(super) fn event(mut self, at: u64, event: Event) -> Self {
        if self.lives.is_empty() {
            self = self.process(None);
        }
        let (_, entries) = self.lives.last_mut().unwrap();
        let at = micros(at);
        entries.push(Entry { at, event });
        self
    }

    pub(super) fn claimed(self, at: u64, run: &str) -> Self {
        let claim = run.to_owned();
        self.event(at, Event::Claimed { claim })
    }

    pub(super) fn renewed(self, at: u64, run: &str) -> Self {
        let (claim, store_time) = (run.to_owned(), micros(at));
        self.event(at, Event::Renewed { claim, store_time })
    }

    /// It has its claim and its fence, and begins.
    pub(super) fn begun(self, at: u64, run: &str) -> Self {
        let begun = Event::Begun {
            run: run.to_owned(),
            key: "k".to_owned(),
            fence: micros(at),
        };
        self.claimed(at, run).renewed(at, run).event(at, begun)
    }

    pub(super) fn ended(self, at: u64, run: &str, fate: Fate) -> Self {
        let run = run.to_owned();
        self.event(at, Event::Ended { run, fate })
    }

    pub(super) fn told(self, at: u64, run: &str, ending: Ending, held: bool) -> Self {
        let claim = run.to_owned();
        let told = Event::Told {
            claim,
            ending,
            held,
        };
        self.event(at, told)
    }

    /// It has ended well, and its answer is recorded.
    pub(super) fn recorded(self, at: u64, run: &str) -> Self {
        self.ended(at, run, Fate::Created)
            .told(at, run, Ending::Answer, true)
    }

    /// It has failed, and its key is free.
    pub(super) fn failed(self, at: u64, run: &str) -> Self {
        self.ended(at, run, Fate::Failed)
            .told(at, run, Ending::Release, true)
    }

    pub(super) fn missed(self, since: u64, until: u64, run: &str, call: Call, sent: bool) -> Self {
        let missed = Event::Missed {
            claim: run.to_owned(),
            call,
            since: micros(since),
            sent,
        };
        self.event(until, missed)
    }

    /// It was to be confirmed, and is lost.
    pub(super) fn lost(self, since: u64, at: u64, run: &str) -> Self {
        let (claim, since) = (run.to_owned(), micros(since));
        self.event(at, Event::Lost { claim, since })
    }

    pub(super) fn stalled(self, since: u64, until: u64) -> Self {
        let since = micros(since);
        self.event(until, Event::Stalled { since })
    }

    pub(super) fn answer(mut self, asked: u64, answered: u64, said: Said) -> Self {
        self.answers.push(Answer {
            key: "k".to_owned(),
            asked: micros(asked),
            answered: micros(answered),
            said,
        });
        self
    }

    pub(super) fn probe(mut self, since: u64, until: u64, is_answered: bool) -> Self {
        self.probes.push(Probe {
            key: "k".to_owned(),
            since: micros(since),
            until: micros(until),
            is_answered,
        });
        self
    }

    /// What the checker finds, each rule once.
    pub(super) fn breaks(&self) -> Vec<Rule> {
        let mut effects = Effects::default();
        for (killed, entries) in &self.lives {
            effects.add(*killed, entries);
        }
        let violations = check(&effects, &self.answers, &self.probes);
        let mut rules: Vec<_> = violations.into_iter().map(|one| one.rule).collect();
        rules.sort();
        rules.dedup();
        rules
    }
}

pub(super) fn created(run: &str) -> Said {
    let run = run.to_owned();
    Said::Created {
        run,
        streamed: false,
    }
}

pub(super) fn streamed(run: &str) -> Said {
    let run = run.to_owned();
    Said::Created {
        run,
        streamed: true,
    }
}

pub(super) fn replayed(run: &str) -> Said {
    let run = run.to_owned();
    Said::Replayed { run }
}

pub(super) fn failed(run: &str) -> Said {
    let run = Some(run.to_owned());
    Said::Failed { run }
}
