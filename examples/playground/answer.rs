use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// More than is recorded of an answer, which is 1 MiB unless configured.
const LARGE: usize = 2 * 1024 * 1024;

/// How the handler ends.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Created,
    Error,
    Panic,
    Large,
}

impl Answer {
    /// Whether an order exists afterwards.
    pub(crate) fn creates(self) -> bool {
        matches!(self, Self::Created | Self::Large)
    }

    pub(crate) fn respond(self, order: Option<u64>) -> HttpResponse {
        match self {
            Self::Created => HttpResponse::Created().json(json!({ "order": order })),
            Self::Large => HttpResponse::Created().body("tea ".repeat(LARGE / 4)),
            Self::Error => HttpResponse::InternalServerError().body("The kettle is broken."),
            Self::Panic => panic!("the handler panics, as it was asked to"),
        }
    }
}
