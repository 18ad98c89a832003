use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How often an outage that goes on is logged.
const EVERY: Duration = Duration::from_secs(1);

/// Says which refusals of an outage are logged: the first, and then one line a second for all. At a
/// thousand requests a second a line for each would be the second outage.
#[derive(Debug, Default)]
pub(super) struct RefusalLog {
    /// Whether there is an outage. Read by each claim, so apart from the rest.
    is_down: AtomicBool,
    /// Locked for a few instructions, by refusals and by the claim that ends an outage.
    outage: Mutex<Option<Outage>>,
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    refused: u64,
    /// How many of them have been logged.
    logged: u64,
    next_line: Instant,
}

/// The log line of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// This one.
    First,
    /// So many since the last line.
    More(u64),
    Nothing,
}

/// An outage that is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) refused: u64,
    pub(super) lasted: Duration,
}

impl RefusalLog {
    /// A request was refused because the store could not be asked.
    pub(super) fn refused(&self) -> Line {
        let now = Instant::now();
        let mut outage = self.lock();
        let Some(down) = &mut *outage else {
            *outage = Some(Outage {
                since: now,
                refused: 1,
                logged: 1,
                next_line: now + EVERY,
            });
            self.is_down.store(true, Ordering::Release);
            return Line::First;
        };
        down.refused += 1;
        if now < down.next_line {
            return Line::Nothing;
        }
        let more = down.refused - down.logged;
        down.logged = down.refused;
        down.next_line = now + EVERY;
        Line::More(more)
    }

    /// The store has answered. Returns the outage that this ends.
    pub(super) fn answered(&self) -> Option<Ended> {
        if !self.is_down.load(Ordering::Acquire) {
            return None;
        }
        let mut outage = self.lock();
        self.is_down.store(false, Ordering::Release);
        outage.take().map(|down| Ended {
            refused: down.refused,
            lasted: down.since.elapsed(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn outage_is_logged_at_once_then_once_a_second_and_at_its_end() {
        let log = RefusalLog::default();
        assert_eq!(log.answered(), None);
        assert_eq!(log.refused(), Line::First);
        for _ in 0..10 {
            assert_eq!(log.refused(), Line::Nothing);
        }
        advance(EVERY).await;
        assert_eq!(log.refused(), Line::More(11));
        assert_eq!(log.refused(), Line::Nothing);
        advance(EVERY * 5).await;
        assert_eq!(log.refused(), Line::More(2));
        let ended = Ended {
            refused: 14,
            lasted: EVERY * 6,
        };
        assert_eq!(log.answered(), Some(ended));
        assert_eq!(log.answered(), None);
        assert_eq!(log.refused(), Line::First, "the next one");
    }
}
