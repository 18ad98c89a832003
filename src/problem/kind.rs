use actix_web::http::StatusCode;

use crate::event::Outcome;

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The same request is still running.
    Busy,
    /// The operation requires an idempotency key and the request has none.
    KeyMissing,
    /// The idempotency key breaks a rule.
    KeyInvalid,
    /// The request does not identify its caller.
    ScopeMissing,
    /// The original request with this key is still running.
    InFlight,
    /// The key belongs to another request.
    KeyReused,
    /// The owner of the key crashed, and no retry may run.
    OutcomeUnknown,
    /// The request was carried out, but its response could not be recorded.
    ResponseNotStored,
    /// The request body is larger than the middleware reads.
    PayloadTooLarge,
    /// The request body stopped arriving.
    BodyTimeout,
    /// The store cannot be asked.
    StoreUnavailable,
}

impl ProblemKind {
    /// Returns the name at the end of the type URI.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::KeyMissing => "key-missing",
            Self::KeyInvalid => "key-invalid",
            Self::ScopeMissing => "scope-missing",
            Self::InFlight => "in-flight",
            Self::KeyReused => "key-reused",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::ResponseNotStored => "response-not-stored",
            Self::PayloadTooLarge => "payload-too-large",
            Self::BodyTimeout => "body-timeout",
            Self::StoreUnavailable => "store-unavailable",
        }
    }

    /// Returns the status of the response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::KeyMissing | Self::KeyInvalid => StatusCode::BAD_REQUEST,
            Self::ScopeMissing => StatusCode::UNAUTHORIZED,
            Self::Busy | Self::InFlight | Self::OutcomeUnknown | Self::ResponseNotStored => {
                StatusCode::CONFLICT
            }
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the title, the same for every occurrence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Busy => "The same request is still running",
            Self::KeyMissing => "An idempotency key is missing",
            Self::KeyInvalid => "The idempotency key is not valid",
            Self::ScopeMissing => "The request does not identify its caller",
            Self::InFlight => "The original request with this key is still running",
            Self::KeyReused => "The idempotency key belongs to another request",
            Self::OutcomeUnknown => "The outcome of the original request is unknown",
            Self::ResponseNotStored => {
                "The request was carried out, but its response was not stored"
            }
            Self::PayloadTooLarge => "The request body is too large",
            Self::BodyTimeout => "The request body did not arrive in time",
            Self::StoreUnavailable => "The request cannot be protected at the moment",
        }
    }

    /// Returns whether waiting and repeating the same request can succeed without running it twice.
    pub fn can_be_retried(self) -> bool {
        match self {
            Self::InFlight | Self::StoreUnavailable => true,
            Self::Busy
            | Self::KeyMissing
            | Self::KeyInvalid
            | Self::ScopeMissing
            | Self::KeyReused
            | Self::OutcomeUnknown
            | Self::ResponseNotStored
            | Self::PayloadTooLarge
            | Self::BodyTimeout => false,
        }
    }

    /// Returns the outcome of a request that got this problem.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Busy | Self::InFlight => Outcome::InFlight,
            Self::KeyReused => Outcome::Mismatch,
            Self::OutcomeUnknown => Outcome::Unknown,
            Self::ResponseNotStored => Outcome::NotStored,
            Self::StoreUnavailable => Outcome::StoreError,
            Self::KeyMissing
            | Self::KeyInvalid
            | Self::ScopeMissing
            | Self::PayloadTooLarge
            | Self::BodyTimeout => Outcome::Invalid,
        }
    }

    /// Returns the detail, unless there is more to say.
    pub(super) fn default_detail(self) -> &'static str {
        match self {
            Self::Busy => "Resource is busy",
            Self::KeyMissing => {
                "Send the header Idempotency-Key, with a value that is new for each operation."
            }
            Self::KeyInvalid => "Send one key of visible ASCII characters, such as a UUID.",
            Self::ScopeMissing => "Send the request with your credentials.",
            Self::InFlight => "Send the same request again later, with the same key.",
            Self::KeyReused => "Use a new key for a new request.",
            Self::OutcomeUnknown => {
                "The original request was cut off, so this one did not run. Find out what it has done."
            }
            Self::ResponseNotStored => {
                "The original request with this key was carried out and will not be carried out again."
            }
            Self::PayloadTooLarge => "Send a smaller body.",
            Self::BodyTimeout => "Send the request again, with its whole body.",
            Self::StoreUnavailable => "The request did not run. Send it again in a moment.",
        }
    }
}
