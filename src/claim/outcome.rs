use std::time::Duration;

use super::Guard;
use crate::{
    event::EventBuilder,
    store::{ClaimId, Record, StoreError},
};

/// How a claim began.
#[derive(Debug)]
pub(crate) enum ClaimOutcome {
    /// The key is ours until the guard goes.
    Mine(Guard),
    /// The same work is under way elsewhere.
    InFlight {
        /// By a claim that can be watched, unless it is a lock.
        by: Option<ClaimId>,
        /// How long its lease still lasts, where that is known.
        left: Option<Duration>,
    },
    /// The key stands for other work.
    Mismatch,
    /// An owner died, and nobody may take over from it.
    Expired,
    /// The work is done.
    Finished(Record),
    /// What stands there cannot be read.
    Unreadable,
}

impl ClaimOutcome {
    pub(super) fn in_flight(by: ClaimId, left: Option<Duration>) -> Self {
        Self::InFlight { by: Some(by), left }
    }

    /// How long the lease of the one that is in the way still lasts, where that is known.
    pub(crate) fn left(&self) -> Option<Duration> {
        match self {
            Self::InFlight { left, .. } => *left,
            _ => None,
        }
    }

    /// Writes down what the store has said, and how long it took; those who waited, without the wait.
    ///
    /// By value, because a future keeps room to its end for whatever is once borrowed in it.
    pub(crate) fn record_claim(
        begun: Result<Self, StoreError>,
        waited: Option<Duration>,
        event: &mut EventBuilder,
    ) -> Result<Self, StoreError> {
        event.end_step(|event, took| {
            event.wait_duration = waited;
            event.claim_duration = Some(took.saturating_sub(waited.unwrap_or_default()));
            match &begun {
                Ok(begun) => event.lease_left = begun.left(),
                Err(err) => event.store_error = Some(err.kind()),
            }
        });
        begun
    }
}
