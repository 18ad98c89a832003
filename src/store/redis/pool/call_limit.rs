use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::store::StoreError;

/// How many calls wait for the server, and how many may.
///
/// A server that answers keeps few waiting. When thousands wait it does not answer, and whoever
/// joins them would take memory, wait for the whole timeout and be refused all the same.
#[derive(Debug)]
pub(crate) struct CallLimit {
    waiting: AtomicUsize,
    most: usize,
}

impl CallLimit {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            most,
        }
    }

    /// A place among those who wait, if there is one.
    pub(crate) fn enter(&self) -> Result<Permit<&Self>, StoreError> {
        // Counted after the fact: for a moment there may be one too many, refused.
        let place = Permit(self);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(place);
        }
        Err(StoreError::unavailable(format!(
            "{} calls are waiting for Redis already",
            self.most
        )))
    }

    /// A second place for one who has been let in, to leave something behind that goes on waiting.
    pub(crate) fn stay(self: &Arc<Self>) -> Permit<Arc<Self>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Permit(Arc::clone(self))
    }
}

/// One who waits, until it is dropped.
pub(crate) struct Permit<T: Deref<Target = CallLimit>>(T);

impl<T: Deref<Target = CallLimit>> Drop for Permit<T> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_may() {
        let call_limit = CallLimit::new(2);
        let (one, _other) = (call_limit.enter().unwrap(), call_limit.enter().unwrap());
        for _again in 0..3 {
            let refused = call_limit.enter().map(drop).unwrap_err();
            assert!(!refused.may_have_run());
        }
        drop(one);
        assert!(call_limit.enter().is_ok());
    }

    #[test]
    fn what_is_left_behind_takes_up_room() {
        let call_limit = Arc::new(CallLimit::new(1));
        let left_behind = {
            let _place = call_limit.enter().unwrap();
            call_limit.stay()
        };
        assert!(call_limit.enter().is_err());
        drop(left_behind);
        assert!(call_limit.enter().is_ok());
    }
}
