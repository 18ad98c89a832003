use std::{num::NonZeroU32, time::Duration};

use super::{Ending, FinishOutcome, Outcome};
use crate::store::{StoreErrorKind, StoreKey};

/// A request that is over. What does not apply to it, or is not known of it, is `None`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEvent {
    /// What became of it; in a [shadow](Self::shadow) what would have become of it.
    pub outcome: Outcome,
    /// Whether the middleware only [watches](crate::idempotency::IdempotencyBuilder::shadow): then the handler ran
    /// and its client got its answer, whatever the outcome.
    pub shadow: bool,
    /// The name of the [problem](crate::problem) that it was told; in a shadow that it would have been
    /// told. [`Outcome::InFlight`] without one would have waited.
    pub problem: Option<&'static str>,
    /// The status of its answer, in a shadow too: of that which was sent.
    pub status: Option<u16>,
    /// Under what it is kept in the store.
    pub key: Option<StoreKey>,
    /// The number of this run; above 1, the owners before it died.
    pub attempt: Option<NonZeroU32>,
    /// How long it waited for another to end.
    pub wait_duration: Option<Duration>,
    /// How long the lease of the one that was in its way still lasts.
    pub lease_left: Option<Duration>,
    /// How long the store took to say whose the key is, without the wait.
    pub claim_duration: Option<Duration>,
    /// How long its handler took, until the head of its response; `None` when it was cut off, by a client that
    /// left or by a panic.
    pub handler_duration: Option<Duration>,
    /// How long the store took to be told how it ended, where that was waited for.
    pub finish_duration: Option<Duration>,
    /// How long it was in the middleware, to the end of its answer's body.
    pub total_duration: Duration,
    /// The bytes of its body, where that was read.
    pub request_body: Option<usize>,
    /// The bytes of the body that is recorded.
    pub recorded_body: Option<usize>,
    /// What becomes of its key.
    pub ending: Option<Ending>,
    /// Whether the store knows that. Of a stream, and of a client that left, it is told
    /// [`Deferred`](FinishOutcome::Deferred).
    pub finish: Option<FinishOutcome>,
    /// How the store failed, when it was claimed or settled.
    pub store_error: Option<StoreErrorKind>,
}

impl RequestEvent {
    /// Until more is known, it has come to nothing.
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
