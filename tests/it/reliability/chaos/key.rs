use std::collections::BTreeMap;

use super::{
    answer::{Answer, Said},
    event::Micros,
    run::Run,
};

/// All that is known of a key: its runs in the order of their fences, and what clients were told.
#[derive(Default)]
pub(super) struct Key<'a> {
    pub(super) runs: Vec<&'a Run>,
    pub(super) answers: Vec<&'a Answer>,
}

/// What stands recorded for a key.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// It stood there at this moment at the latest.
    pub(super) known: Micros,
    /// Whose it is; an answer that was cut off does not say.
    pub(super) run: Option<String>,
    pub(super) is_whole: bool,
}

impl<'a> Key<'a> {
    pub(super) fn all(runs: &'a [Run], answers: &'a [Answer]) -> BTreeMap<&'a str, Self> {
        let mut keys = BTreeMap::<_, Self>::new();
        for run in runs {
            keys.entry(run.key.as_str()).or_default().runs.push(run);
        }
        for answer in answers {
            let key = keys.entry(answer.key.as_str()).or_default();
            key.answers.push(answer);
        }
        for key in keys.values_mut() {
            key.runs.sort_by_key(|run| run.fence);
        }
        keys
    }

    pub(super) fn run(&self, id: &str) -> Option<&'a Run> {
        self.runs.iter().copied().find(|run| run.id == id)
    }

    /// Every sign of a record, the earliest first.
    pub(super) fn records(&self) -> Vec<Record> {
        let told = self.runs.iter().filter_map(|run| {
            let (known, is_whole) = run.recorded()?;
            let run = Some(run.id.clone());
            Some(Record {
                known,
                run,
                is_whole,
            })
        });
        let seen = self.answers.iter().filter_map(|answer| {
            let (run, is_whole) = match &answer.said {
                Said::Replayed { run } => (Some(run.clone()), true),
                Said::NotStored => (None, false),
                _ => return None,
            };
            Some(Record {
                known: answer.answered,
                run,
                is_whole,
            })
        });
        let mut records: Vec<_> = told.chain(seen).collect();
        records.sort_by_key(|record| record.known);
        records
    }
}
