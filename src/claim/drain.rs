use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

/// Knows what has been begun and not yet settled.
///
/// Whatever begins takes a [`DrainGuard`]. A drain waits for the guards that are out when it starts
/// and not for later ones, so that it ends on a busy server too.
#[derive(Debug, Default)]
pub(crate) struct DrainTracker {
    /// Locked for a clone per request; never held across an await.
    current: Mutex<Round>,
}

/// A channel on which nothing is ever sent: it closes when the last sender is dropped.
#[derive(Debug)]
struct Round {
    guards: mpsc::Sender<()>,
    closed: Vec<mpsc::Receiver<()>>,
}

/// Stands for one thing in progress, until it is dropped.
#[derive(Debug)]
pub(crate) struct DrainGuard {
    _open: mpsc::Sender<()>,
}

impl DrainTracker {
    pub(crate) fn guard(&self) -> DrainGuard {
        let round = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        DrainGuard {
            _open: round.guards.clone(),
        }
    }

    /// Waits until every guard that is out now has been dropped.
    pub(crate) async fn drained(&self) {
        let waiting = {
            let mut round = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            let Round { closed, .. } = std::mem::take(&mut *round);
            closed
        };
        let mut waiting = Unfinished {
            rounds: waiting,
            of: self,
        };
        while let Some(round) = waiting.rounds.last_mut() {
            let _closed: Option<()> = round.recv().await;
            waiting.rounds.pop();
        }
    }
}

impl Default for Round {
    fn default() -> Self {
        let (guards, closed) = mpsc::channel(1);
        Self {
            guards,
            closed: vec![closed],
        }
    }
}

/// The rounds a drain still waits for. One that is given up leaves them to the next.
struct Unfinished<'a> {
    rounds: Vec<mpsc::Receiver<()>>,
    of: &'a DrainTracker,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.rounds.is_empty() {
            return;
        }
        let mut round = self
            .of
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        round.closed.append(&mut self.rounds);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_what_began_before_it_and_no_more() {
        let all = DrainTracker::default();
        assert!(all.drained().now_or_never().is_some());

        let early = all.guard();
        let drain = all.drained();
        let mut drain = std::pin::pin!(drain);
        assert!((&mut drain).now_or_never().is_none());
        let late = all.guard();
        drop(early);
        assert!((&mut drain).now_or_never().is_some());
        drop(late);
    }

    #[tokio::test]
    async fn what_one_drain_gave_up_the_next_still_waits_for() {
        let all = DrainTracker::default();
        let ticket = all.guard();
        assert!(all.drained().now_or_never().is_none());
        assert!(all.drained().now_or_never().is_none());
        drop(ticket);
        assert!(all.drained().now_or_never().is_some());
    }
}
