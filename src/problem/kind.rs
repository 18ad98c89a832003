use actix_web::http::StatusCode;

/// Which of the problems it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The same request is still running.
    Busy,
    /// The request body is larger than the middleware reads.
    PayloadTooLarge,
    /// The request body stopped arriving.
    BodyTimeout,
    /// The store cannot be asked.
    StoreUnavailable,
}

impl ProblemKind {
    /// The name at the end of the type URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::PayloadTooLarge => "payload-too-large",
            Self::BodyTimeout => "body-timeout",
            Self::StoreUnavailable => "store-unavailable",
        }
    }

    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Busy => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What kind of thing happened, the same for every occurrence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Busy => "The same request is still running",
            Self::PayloadTooLarge => "The request body is too large",
            Self::BodyTimeout => "The request body did not arrive in time",
            Self::StoreUnavailable => "The request cannot be guarded at the moment",
        }
    }

    /// Whether waiting and repeating the same request can succeed without running it twice.
    pub fn can_be_retried(self) -> bool {
        match self {
            Self::StoreUnavailable => true,
            Self::Busy | Self::PayloadTooLarge | Self::BodyTimeout => false,
        }
    }

    /// What this occurrence is about, unless there is more to say.
    pub(super) fn default_detail(self) -> &'static str {
        match self {
            Self::Busy => "Resource is busy",
            Self::PayloadTooLarge => "Send a smaller body.",
            Self::BodyTimeout => "Send the request again, with its whole body.",
            Self::StoreUnavailable => "The request did not run. Send it again in a moment.",
        }
    }
}
