use std::{num::NonZeroU32, time::Duration};

use super::{Ending, FinishOutcome, Outcome};
use crate::store::{StoreErrorKind, StoreKey};

/// A request that is over. Fields that do not apply, or are not known, are `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEvent {
    /// The outcome; in a [shadow](Self::shadow) what it would have been.
    pub outcome: Outcome,
    /// `true` if the middleware only [observes](crate::idempotency::IdempotencyBuilder::shadow): then the handler
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
    /// The time that it waited for the original request.
    pub wait_duration: Option<Duration>,
    /// The rest of the original request's lease.
    pub lease_left: Option<Duration>,
    /// The duration of the claim, without the wait.
    pub claim_duration: Option<Duration>,
    /// The duration of the handler, until the head of its response; `None` if it was cut off, by a client that
    /// disconnected or by a panic.
    pub handler_duration: Option<Duration>,
    /// The duration of finishing the claim, if the response waited for it.
    pub finish_duration: Option<Duration>,
    /// The time of the request in the middleware, to the end of its response's body.
    pub total_duration: Duration,
    /// The bytes of the request's body, if it was read.
    pub request_body: Option<usize>,
    /// The bytes of the recorded body.
    pub recorded_body: Option<usize>,
    /// The state in which the key is left.
    pub ending: Option<Ending>,
    /// The store's knowledge of it. [`Deferred`](FinishOutcome::Deferred) for a stream, and for a client that
    /// disconnected.
    pub finish: Option<FinishOutcome>,
    /// The failure of the store when the request was claimed or finished.
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
