use std::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST_WAIT: Duration = Duration::from_millis(20);

/// How long background work goes on trying, and how long it rests in between.
///
/// The rests double from 20 ms on, each shortened by up to half at random, so that many who failed
/// together do not return together.
#[derive(Debug)]
pub(super) struct Backoff {
    wait: Duration,
    until: Instant,
}

impl Backoff {
    pub(super) fn until(until: Instant) -> Self {
        Self {
            wait: FIRST_WAIT,
            until,
        }
    }

    /// Goes on for longer than was meant at first.
    pub(super) fn extend(&mut self, until: Instant) {
        self.until = self.until.max(until);
    }

    /// Begins with short rests again.
    pub(super) fn hurry(&mut self) {
        self.wait = FIRST_WAIT;
    }

    /// Rests, no longer than `longest`; false when the time is up.
    pub(super) async fn rest(&mut self, longest: Duration) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        let wait = self.wait.min(longest);
        sleep(wait.mul_f64(rand::random_range(0.5..=1.0))).await;
        self.wait = wait * 2;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_soon_after_its_time() {
        let start = Instant::now();
        let mut backoff = Backoff::until(start + Duration::from_secs(10));
        let mut tries = 0;
        while backoff.rest(Duration::from_secs(1)).await {
            tries += 1;
        }
        assert!((10..60).contains(&tries), "{tries} tries in ten seconds");
        assert!(start.elapsed() < Duration::from_secs(11));
    }
}
