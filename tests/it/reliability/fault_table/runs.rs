use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use tokio::sync::watch;

use super::{
    LEASE, STORE_TIMEOUT,
    course::Course,
    target::Target,
    told::{Keys, Seen, Told},
};

/// Who ran, and when.
#[derive(Clone, Default)]
pub(super) struct Runs {
    all: Arc<Mutex<Vec<Run>>>,
    long_ones_may_end: Arc<watch::Sender<bool>>,
}

#[derive(Clone)]
struct Run {
    path: String,
    begun: Instant,
    ended: Option<Instant>,
    is_answered: bool,
}

impl Runs {
    pub(super) fn begin(&self, path: &str) -> Running {
        let mut runs = self.all.lock().unwrap();
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

    pub(super) fn count(&self, path: &str) -> usize {
        let runs = self.all.lock().unwrap();
        runs.iter().filter(|run| run.path == path).count()
    }

    /// Returns when they may.
    pub(super) async fn long_ones_may_end(&self) {
        let mut may_end = self.long_ones_may_end.subscribe();
        let _ = may_end.wait_for(|may_end| *may_end).await;
    }

    pub(super) fn let_long_ones_end(&self) {
        self.long_ones_may_end.send_replace(true);
    }

    /// No two runs of a key overlap, and with `Idempotency` none follows one that was answered,
    /// unless the claim or the record of the first was lost or may have lapsed. `answered` tells what clients had been answered before the
    /// fault, and when: nothing excuses that it runs again.
    /// `befalls` tells what the fault concerns.
    pub(super) fn assert_as_told(
        &self,
        told: &Told,
        course: &Course,
        befalls: impl Fn(Target, usize) -> bool,
        answered: &BTreeMap<(Target, usize), Instant>,
    ) {
        if !told.keys.are_kept() {
            return;
        }
        let mut by_path: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for run in self.all.lock().unwrap().iter().cloned() {
            by_path.entry(run.path.clone()).or_default().push(run);
        }
        for (path, runs) in by_path {
            let (target, number) = Target::parse(&path);
            // Nothing is promised for what runs unguarded, which nothing does here.
            if target.fails_open() && told.seen != Seen::Nothing {
                continue;
            }
            let answered = answered.get(&(target, number));
            let may_be_lost = told.keys == Keys::HeardKept && befalls(target, number);
            for (nth, second) in runs.iter().enumerate() {
                assert!(
                    answered.is_none_or(|answered| second.begun < *answered),
                    "{}: {path} ran again {:?} after it was answered",
                    told.what,
                    second.begun - *answered.unwrap()
                );
                for first in &runs[..nth] {
                    let overlap = first.ended.is_none_or(|ended| second.begun < ended);
                    let repeats = target.replays() && first.is_answered;
                    let is_excused = is_lapsed(first, second, told)
                        || may_be_lost && course.may_be_unheard(first.begun, told.seen);
                    assert!(
                        is_excused || !(overlap || repeats),
                        "{}: {path} ran again {:?} after the first, overlap: {overlap}",
                        told.what,
                        second.begun - first.begun
                    );
                }
            }
        }
    }
}

/// Whether the claim of the first may have. A lease begins before its run, by as much as the answer
/// to a claim may take, and a loaded machine to hear it.
fn is_lapsed(first: &Run, second: &Run, told: &Told) -> bool {
    second.begun - first.begun + told.store_timeout() + STORE_TIMEOUT * 2 >= LEASE
}

/// A handler that runs, until this is dropped.
pub(super) struct Running {
    runs: Runs,
    at: usize,
}

impl Running {
    pub(super) fn is_answered(&self) {
        self.runs.all.lock().unwrap()[self.at].is_answered = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runs.all.lock().unwrap()[self.at].ended = Some(Instant::now());
    }
}
