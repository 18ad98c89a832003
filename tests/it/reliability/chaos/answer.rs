use reqwest::{Response, header::RETRY_AFTER};

use super::event::Micros;
use crate::support::keys::REPLAYED;

/// What a client was answered, wholly.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) key: String,
    pub(super) asked: Micros,
    pub(super) answered: Micros,
    pub(super) said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// 201 of the handler's, by the run that it names.
    Created { run: String, streamed: bool },
    /// The same as a recorded answer.
    Replayed { run: String },
    /// 409 `response-not-stored`: the work is done, its answer was cut off.
    NotStored,
    /// 500 of the handler's; one that has panicked names no run.
    Failed { run: Option<String> },
    /// 409 `in-flight`, with `Retry-After`.
    InFlight,
    /// 503: the store was away when the request came, or when the handler took its fence.
    Unavailable,
    /// What nobody may be told.
    Nonsense(String),
}

impl Said {
    /// Reads an answer to its end, or to where it was cut off.
    pub(super) async fn in_answer(answer: Response) -> reqwest::Result<Self> {
        let status = answer.status().as_u16();
        let headers = answer.headers();
        let is_replay = headers.contains_key(REPLAYED);
        let asks_again = headers.contains_key(RETRY_AFTER);
        let streamed = headers.contains_key("transfer-encoding");
        let text = answer.text().await?;
        let run = text.trim().to_owned();
        Ok(match status {
            201 if is_replay => Self::Replayed { run },
            201 => Self::Created { run, streamed },
            409 if text.contains("#in-flight") && asks_again => Self::InFlight,
            409 if text.contains("#response-not-stored") && !asks_again => Self::NotStored,
            500 if !is_replay => Self::Failed {
                run: (!run.is_empty()).then_some(run),
            },
            503 if !is_replay => Self::Unavailable,
            _ => Self::Nonsense(format!("{status} {text}")),
        })
    }

    /// Whether a client has no reason to ask again.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Created { .. } | Self::Replayed { .. } => true,
            Self::NotStored | Self::Nonsense(_) => true,
            Self::Failed { .. } | Self::InFlight | Self::Unavailable => false,
        }
    }
}
