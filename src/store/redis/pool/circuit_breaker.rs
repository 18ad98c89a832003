use std::{
    fmt,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{runtime::log, store::StoreError};

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Remembers that the server cannot be reached, so that calls fail at once between two attempts
/// instead of each waiting for its own.
///
/// bb8 alone would let every caller wait its whole timeout and then forget the reason.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    /// Where connections lead.
    place: String,
    /// A lock, because a reason does not fit into an atomic. Held for a few instructions.
    state: Mutex<Option<Down>>,
    failed: Notify,
}

#[derive(Debug)]
struct Down {
    reason: String,
    next_attempt: Instant,
    wait: Duration,
}

impl CircuitBreaker {
    pub(crate) fn new(place: &dyn fmt::Display) -> Self {
        Self {
            place: place.to_string(),
            state: Mutex::default(),
            failed: Notify::new(),
        }
    }

    /// Fails while the server is known to be away. Lets one caller through when it is time to
    /// try again; the others go on failing for as long as that attempt may take.
    pub(crate) fn check(&self, attempt: Duration) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(down) = &mut *state else {
            return Ok(());
        };
        let now = Instant::now();
        if now < down.next_attempt {
            return Err(StoreError::unavailable(down.reason.clone()));
        }
        down.next_attempt = now + attempt;
        Ok(())
    }

    /// The server refused a connection, or did not answer. The waits between two attempts double
    /// from 50 ms to a second, each shortened by up to half at random, so that the workers of
    /// many processes do not return together.
    pub(crate) fn begins(&self, err: &dyn fmt::Display) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = match &*state {
            Some(down) => (down.wait * 2).min(LONGEST_WAIT),
            None => FIRST_WAIT,
        };
        if state.is_none() {
            log::warn!("no connection to Redis: {err}");
        }
        *state = Some(Down {
            reason: format!("no connection to Redis: {err}"),
            next_attempt: Instant::now() + wait.mul_f64(rand::random_range(0.5..=1.0)),
            wait,
        });
        drop(state);
        self.failed.notify_waiters();
    }

    pub(crate) fn ends(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.take().is_some() {
            log::info!("Redis can be reached again");
        }
    }

    /// Ends when the next attempt fails, with the reason; at `deadline` at the latest. Attempts
    /// count from this call on, not from the first poll.
    pub(crate) fn fails(&self, deadline: Instant) -> impl Future<Output = StoreError> {
        let failed = self.failed.notified();
        async move {
            let _ = timeout_at(deadline, failed).await;
            self.reason()
        }
    }

    /// Why there is no connection.
    pub(crate) fn reason(&self) -> StoreError {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        StoreError::unavailable(match &*state {
            Some(down) => down.reason.clone(),
            // An attempt is still going on: it began later than the call that waits for it.
            None => format!("no connection to Redis in time ({})", self.place),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const ATTEMPT: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn between_two_attempts_calls_fail_at_once_with_the_reason() {
        let breaker = CircuitBreaker::new(&"a server");
        assert!(breaker.check(ATTEMPT).is_ok());
        breaker.begins(&"refused");
        let err = breaker.check(ATTEMPT).unwrap_err();
        assert!(err.to_string().contains("refused"), "{err}");
        assert!(!err.may_have_run());

        advance(FIRST_WAIT).await;
        assert!(breaker.check(ATTEMPT).is_ok(), "one may try");
        assert!(breaker.check(ATTEMPT).is_err(), "the others wait for it");
        breaker.ends();
        assert!(breaker.check(ATTEMPT).is_ok());
    }

    /// How long calls fail at once after an attempt has failed.
    async fn wait(breaker: &CircuitBreaker) -> Duration {
        let failed = Instant::now();
        while breaker.check(ATTEMPT).is_err() {
            advance(Duration::from_millis(1)).await;
        }
        failed.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_between_attempts_double_up_to_a_second_and_begin_anew_after_an_outage() {
        let breaker = CircuitBreaker::new(&"a server");
        for _outage in 0..10 {
            for longest in [50, 100, 200, 400, 800, 1000, 1000, 1000] {
                breaker.begins(&"refused");
                let longest = Duration::from_millis(longest);
                let waited = wait(&breaker).await;
                let grain = Duration::from_millis(1);
                assert!(
                    waited >= longest / 2 && waited <= longest + grain,
                    "{waited:?} instead of {longest:?}"
                );
            }
            breaker.ends();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_says_nothing_is_followed_by_another_after_its_time() {
        let breaker = CircuitBreaker::new(&"a server");
        breaker.begins(&"refused");
        wait(&breaker).await;
        assert_eq!(wait(&breaker).await, ATTEMPT);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_connection_hears_of_the_failure() {
        let breaker = CircuitBreaker::new(&"a server");
        let deadline = Instant::now() + ATTEMPT;
        let (err, ()) = tokio::join!(breaker.fails(deadline), async {
            advance(Duration::from_millis(3)).await;
            breaker.begins(&"refused");
        });
        assert!(err.to_string().contains("refused"), "{err}");
        assert!(Instant::now() < deadline);
    }
}
