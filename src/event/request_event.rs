use std::{num::NonZeroU32, time::Duration};

use super::{Ending, FinishOutcome, Outcome};
use crate::store::{StoreErrorKind, StoreKey};

/// A request that is over. Fields that do not apply, or are not known, are `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEvent {
    /// The outcome; in a [shadow](Self::shadow) what it would have been.
    pub outcome: Outcome,
    /// Whether the middleware only [observes](crate::idempotency::IdempotencyBuilder::shadow): then the handler
    /// ran and its client got its response, whatever the outcome.
    pub shadow: bool,
    /// The name of the [problem](crate::problem) that it got; in a shadow that it would have got.
    /// [`Outcome::InFlight`] without one would have waited.
    pub problem: Option<&'static str>,
    /// The status of the response that was sent, in a shadow too.
    pub status: Option<u16>,
    /// The stored key.
    pub key: Option<StoreKey>,
    /// The number of this run; above 1, earlier owners crashed.
    pub attempt: Option<NonZeroU32>,
    /// How long it waited for the original request.
    pub wait_duration: Option<Duration>,
    /// How much of the original request's lease is left.
    pub lease_left: Option<Duration>,
    /// How long the claim took, without the wait.
    pub claim_duration: Option<Duration>,
    /// How long the handler took, until the head of its response; `None` if it was cut off, by a client that
    /// disconnected or by a panic.
    pub handler_duration: Option<Duration>,
    /// How long it took to finish the claim, if that was waited for.
    pub finish_duration: Option<Duration>,
    /// How long the request was in the middleware, to the end of its response's body.
    pub total_duration: Duration,
    /// The bytes of the request's body, if it was read.
    pub request_body: Option<usize>,
    /// The bytes of the recorded body.
    pub recorded_body: Option<usize>,
    /// What happens to the key.
    pub ending: Option<Ending>,
    /// Whether the store knows it. [`Deferred`](FinishOutcome::Deferred) for a stream, and for a client that
    /// disconnected.
    pub finish: Option<FinishOutcome>,
    /// How the store failed, when the request was claimed or finished.
    pub store_error: Option<StoreErrorKind>,
}

impl RequestEvent {
    /// Returns an event of which nothing is known yet.
    pub(crate) fn new() -> Self {
        Self {
            outcome: Outcome::Abandoned,
            shadow: false,
            problem: None,
            status: None,
            key: None,
            attempt: None,
            wait_duration: None,
            lease_left: None,
            claim_duration: None,
            handler_duration: None,
            finish_duration: None,
            total_duration: Duration::ZERO,
            request_body: None,
            recorded_body: None,
            ending: None,
            finish: None,
            store_error: None,
        }
    }
}
