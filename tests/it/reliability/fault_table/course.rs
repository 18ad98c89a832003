use std::time::{Duration, Instant};

use super::{STORE_TIMEOUT, told::Seen};

/// How long it takes at most until all have heard where the keys are now, and calls that were under
/// way have ended.
const MOVED: Duration = STORE_TIMEOUT.saturating_mul(2);

/// When what happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// What was confirmed before then, replicas had heard of when it struck.
    pub(super) settled: Instant,
    /// From then on the fault was there.
    pub(super) struck: Instant,
    /// From then on it may have been gone.
    pub(super) heals: Instant,
}

impl Course {
    /// Whether the fault was there all the time.
    pub(super) fn lasted(&self, from: Instant, to: Instant) -> bool {
        from > self.struck && to < self.heals
    }

    /// Whether what was confirmed then may be unknown to the replica that has taken over. In an
    /// outage nobody confirms anything.
    pub(super) fn may_be_unheard(&self, confirmed: Instant, seen: Seen) -> bool {
        let last = match seen.is_an_outage() {
            true => self.struck,
            false => self.heals,
        };
        (self.settled..last + MOVED).contains(&confirmed)
    }
}
