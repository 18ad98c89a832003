use std::{fmt, ops::Deref};

use super::{Reply, Runs};

/// The responses to equal requests, in the order in which they were sent.
#[derive(Clone, Debug)]
pub struct Replies(Vec<Reply>);

impl Replies {
    pub(super) fn new(replies: Vec<Reply>) -> Self {
        Self(replies)
    }

    /// Recognises replays by another header than `Idempotent-Replayed`: the application's
    /// [`replay_header`](crate::Recording::replay_header).
    #[must_use]
    pub fn replayed_by(mut self, header: &str) -> Self {
        for reply in &mut self.0 {
            reply.set_replayed_by(header);
        }
        self
    }

    /// Returns their statuses.
    pub fn statuses(&self) -> Vec<u16> {
        self.iter().map(|reply| reply.status().as_u16()).collect()
    }

    /// Asserts that the requests ran once in all: the handler counts one run, at most one reply comes from it,
    /// and all others are equal replays, or refusals.
    ///
    /// Refusals are not compared: with faults of the store, a 503 is as good as a 409. Assert the
    /// [`statuses`](Self::statuses) if it matters.
    ///
    /// # Panics
    ///
    /// If that is not so, with a line for each reply.
    #[track_caller]
    pub fn assert_ran_once(&self, runs: &Runs) {
        let count = runs.count();
        assert!(count == 1, "the handler ran {count} times, not once{self}");
        let firsts = self.iter().filter(|reply| reply.is_first()).count();
        assert!(
            firsts <= 1,
            "{firsts} replies are neither replays nor refusals, but the handler counts one run{self}"
        );
        self.assert_equal();
    }

    /// Those that tell of a run tell the same.
    #[track_caller]
    fn assert_equal(&self) {
        let mut told = self.iter().filter(|r| r.is_first() || r.is_replay());
        let Some(one) = told.next() else { return };
        assert!(
            told.all(|other| other.is_like(one)),
            "the replies differ in status or body{self}"
        );
    }
}

impl Deref for Replies {
    type Target = [Reply];

    fn deref(&self) -> &[Reply] {
        &self.0
    }
}

/// A line for each.
impl fmt::Display for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, reply) in self.iter().enumerate() {
            write!(f, "\n  request {}: {reply}", n + 1)?;
        }
        Ok(())
    }
}
