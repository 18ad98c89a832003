use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::{answer::Answer, service::Service, soon::soon, target::Target};
use crate::support::eventually;

/// The least number of what runs until it may end.
const LONG: usize = 3000;

pub(super) fn is_long(number: usize) -> bool {
    number >= LONG
}

/// The first of these that the fault concerns.
pub(super) fn long_number(befalls: impl Fn(usize) -> bool) -> usize {
    (LONG..).find(|number| befalls(*number)).unwrap()
}

/// Requests whose handlers run from before a fault until after it, one to each target that fails
/// closed. Nobody else may run meanwhile what they do.
pub(super) struct LongRuns {
    numbers: BTreeMap<Target, usize>,
    answers: JoinSet<Answer>,
}

impl LongRuns {
    /// Returns when all of them run. `befalls` tells what the fault concerns.
    pub(super) async fn begin(service: &Service, befalls: impl Fn(Target, usize) -> bool) -> Self {
        let targets = Target::ALL.into_iter();
        let numbers = targets
            .filter(|target| !target.fails_open())
            .map(|target| (target, long_number(|number| befalls(target, number))));
        let mut all = Self {
            numbers: numbers.collect(),
            answers: JoinSet::new(),
        };
        for (target, number) in all.numbers.clone() {
            let caller = service.caller.clone();
            (all.answers).spawn(async move { caller.call(target, number).await });
            eventually("it runs", async || {
                service.runs.count(&target.path(number)) == 1
            })
            .await;
            assert!(service.is_held(target, number).await.unwrap(), "{target:?}");
        }
        all
    }

    /// What runs for this target.
    pub(super) fn number(&self, target: Target) -> Option<usize> {
        self.numbers.get(&target).copied()
    }

    /// Ends them. Until then their claims are kept, by whoever keeps the keys now; a lock's end is
    /// fixed and may have come.
    pub(super) async fn end(self, service: &Service) {
        for (target, number) in self.numbers {
            if target.replays() {
                let is_refused =
                    || async { service.caller.call(target, number).await.status == 409 };
                soon(target, "refused while it runs", is_refused).await;
            }
        }
        service.runs.let_long_ones_end();
        for answer in self.answers.join_all().await {
            assert!(answer.is_a_run(), "{answer:?}");
        }
    }
}
