use std::time::Duration;

use tokio::time::{Instant, sleep};

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long background work goes on trying, and how long it rests in between.
///
/// The rests double from 20 ms to a second, each shortened by up to half at random, so that many
/// who failed together do not return together.
#[derive(Debug)]
pub(super) struct Patience {
    wait: Duration,
    until: Instant,
}

impl Patience {
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

    /// Rests; false when the time is up.
    pub(super) async fn rest(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        sleep(self.wait.mul_f64(rand::random_range(0.5..=1.0))).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_soon_after_its_time() {
        let start = Instant::now();
        let mut patience = Patience::until(start + Duration::from_secs(10));
        let mut tries = 0;
        while patience.rest().await {
            tries += 1;
        }
        assert!((10..60).contains(&tries), "{tries} tries in ten seconds");
        assert!(start.elapsed() < Duration::from_secs(11));
    }
}
