use std::fmt;

use super::{
    answer::{Answer, Said},
    effects::Effects,
    key::Key,
    life::Life,
    options::Options,
};

/// What a run of the test has met. One that has met nothing proves nothing.
#[derive(Debug)]
pub(super) struct Summary {
    keys: usize,
    answers: usize,
    replays: usize,
    strikes: usize,
    kills: usize,
    runs: usize,
    /// Runs that were followed by another although they were not transient.
    lapses: usize,
    /// Keys that ran once, and nothing befell them.
    untouched: usize,
}

impl Summary {
    pub(super) fn new(
        effects: &Effects,
        history: &[Answer],
        lives: &[Life],
        strikes: usize,
    ) -> Self {
        let keys = Key::all(&effects.runs, history);
        let lapses = keys.values().flat_map(|key| key.runs.windows(2));
        let lapses = lapses.filter(|pair| !pair[0].was_transient_before(pair[1].fence));
        let untouched = keys.values().filter(|key| match key.runs[..] {
            [run] => run.recorded().is_some() && run.missed.is_empty(),
            _ => false,
        });
        let replays = history
            .iter()
            .filter(|answer| matches!(answer.said, Said::Replayed { .. }));
        Self {
            keys: keys.len(),
            answers: history.len(),
            replays: replays.count(),
            strikes,
            kills: lives.iter().filter(|life| life.killed.is_some()).count(),
            runs: effects.runs.len(),
            lapses: lapses.count(),
            untouched: untouched.count(),
        }
    }

    /// Panics when too little has happened.
    pub(super) fn assert_telling(&self, options: &Options) {
        assert_eq!(self.keys, options.keys(), "{self}");
        assert!(self.replays > options.requests / 4, "{self}");
        assert!(self.strikes >= 5 && self.runs >= self.keys, "{self}");
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys,
            answers,
            replays,
            strikes,
            kills,
            runs,
            lapses,
            untouched,
        } = self;
        write!(
            f,
            "{strikes} strikes, {kills} processes killed; {keys} keys, {untouched} of them \
             untouched; {runs} runs, {lapses} lost to another; {answers} answers, {replays} \
             replays"
        )
    }
}
