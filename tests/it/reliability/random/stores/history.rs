use std::{fmt, time::Duration};

use actix_web_idempotency::store::{Inspected, Record, StoreTime};

use super::sequence::Step;

/// A moment that lies between two, counted from when the sequence began.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Span {
    /// As much later.
    pub(super) fn after(self, time: Duration) -> Self {
        Self {
            from: self.from + time,
            to: self.to + time,
        }
    }

    /// Less certain by this much, to both sides.
    pub(super) fn blurred(self, by: Duration) -> Self {
        Self {
            from: self.from.saturating_sub(by),
            to: self.to + by,
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?}", self.from)?;
        match self.from == self.to {
            true => Ok(()),
            false => write!(f, " to {:.1?}", self.to),
        }
    }
}

/// What a store has said, owners by their place in the sequence.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Claimed {
        attempt: u32,
    },
    InFlight {
        by: Option<usize>,
        looks: Looks,
        left: Option<Duration>,
    },
    Lapsed {
        looks: Looks,
    },
    Finished(Record),
    /// Whether it was held.
    Held(bool),
    Renewed(Option<StoreTime>),
    Found(Option<Inspected>),
    /// Whether there was something.
    Removed(bool),
    /// When a watch has ended; `None` when it had to be given up.
    Watched(Option<Duration>),
    /// What no store may say, an error among it.
    Wrong(String),
}

/// A fingerprint.
pub(super) type Looks = Option<actix_web_idempotency::Fingerprint>;

/// One call, when it was made, and what came back.
pub(super) struct Call {
    pub(super) step: Step,
    pub(super) at: Span,
    pub(super) told: Told,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?} -> {:?}", self.at, self.step, self.told)
    }
}
