use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use super::{
    LEASE, STORE_TIMEOUT,
    scene::Target,
    table::{Keys, Row},
};

/// Who ran, and when.
#[derive(Clone, Default)]
pub(super) struct Runs(Arc<Mutex<Vec<Run>>>);

#[derive(Clone)]
struct Run {
    path: String,
    begun: Instant,
    ended: Option<Instant>,
    is_answered: bool,
}

impl Runs {
    pub(super) fn begin(&self, path: &str) -> Running {
        let mut runs = self.0.lock().unwrap();
        runs.push(Run {
            path: path.to_owned(),
            begun: Instant::now(),
            ended: None,
            is_answered: false,
        });
        Running {
            runs: self.clone(),
            at: runs.len() - 1,
        }
    }

    /// No two runs of a key overlap, and with `Idempotency` none follows one that was answered,
    /// unless the claim or the record of the first was lost or may have lapsed. Nothing is promised
    /// for requests that run unguarded.
    pub(super) fn assert_as_told(&self, row: &Row) {
        if row.keys != Keys::Kept {
            return;
        }
        let mut by_path: HashMap<_, Vec<_>> = HashMap::new();
        for run in self.0.lock().unwrap().iter().cloned() {
            by_path.entry(run.path.clone()).or_default().push(run);
        }
        for (path, runs) in by_path {
            let target = Target::of(&path);
            if target.fails_open() {
                continue;
            }
            for pair in runs.windows(2) {
                let [first, second] = pair else { continue };
                let overlap = first.ended.is_none_or(|ended| second.begun < ended);
                let repeats = target.replays() && first.is_answered;
                // A lease begins before its run, by as much as the answer to a claim may take, and
                // a loaded machine to hear it.
                let lapsed = second.begun - first.begun + STORE_TIMEOUT * 3 >= LEASE;
                assert!(
                    lapsed || !(overlap || repeats),
                    "{:?}: {path} ran again {:?} after the first, overlap: {overlap}",
                    row.fault,
                    second.begun - first.begun
                );
            }
        }
    }
}

/// A handler that runs, until this is dropped.
pub(super) struct Running {
    runs: Runs,
    at: usize,
}

impl Running {
    pub(super) fn is_answered(&self) {
        self.runs.0.lock().unwrap()[self.at].is_answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runs.0.lock().unwrap()[self.at].ended = Some(Instant::now());
    }
}
