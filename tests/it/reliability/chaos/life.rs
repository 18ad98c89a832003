use std::{fs, path::PathBuf};

use super::event::{Entry, Event, Micros};

/// A server process from its start to its end.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) journal: PathBuf,
    /// A moment before it was killed.
    pub(super) killed: Option<Micros>,
    /// Since when it was suspended when it was killed.
    pub(super) suspended: Option<Micros>,
}

impl Life {
    /// What it has written down, and what it could not write down any more: one that is killed while
    /// it is suspended does not learn that it was.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let journal = fs::read_to_string(&self.journal).unwrap_or_default();
        let lines = journal.lines();
        let read = |line| serde_json::from_str(line).expect("each line is whole");
        let last = self.suspended.zip(self.killed).map(|(since, at)| Entry {
            at,
            event: Event::Stalled { since },
        });
        lines.map(read).chain(last).collect()
    }
}
