use std::time::Duration;

use actix_web::{HttpResponse, rt, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{problem::Problem, refusal::Refusal};

#[derive(Deserialize, Serialize, ToSchema)]
pub(crate) struct Payment {
    /// In cents.
    amount: u32,
    to: String,
}

/// Pays once for each key.
///
/// A key belongs to the user, and to method and path. It and its response are remembered for 24 hours
/// after the response; a retry with the same body within that time gets the same response.
#[utoipa::path(
    post,
    path = "/payments",
    tag = "payments",
    params(
        (
            "Idempotency-Key" = String, Header,
            description = "New for each payment, the same for each of its repetitions; a UUID \
                           serves. In quotes (RFC 9651) it is the same key as without; they do not \
                           count.",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$",
            example = json!("8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ),
        ("X-User" = String, Header, description = "Whose payment it is."),
    ),
    request_body = Payment,
    responses(
        (
            status = 201, description = "Paid, now or by the request that this one repeats.",
            body = Payment,
            headers(("Idempotent-Replayed" = bool, description = "`true` on a replay.")),
        ),
        Refusal,
        (
            // In the place of the one in `Refusal`: the handler has a 400 of its own.
            status = 400,
            description = "`key-missing`, `key-invalid`: send one key, of 1 to 255 visible ASCII \
                           characters. As text: the body is no payment.",
            content((Problem = "application/problem+json"), (String = "text/plain")),
        ),
    ),
)]
pub(crate) async fn pay(payment: web::Json<Payment>) -> HttpResponse {
    rt::time::sleep(Duration::from_secs(1)).await; // charge the card
    HttpResponse::Created().json(payment)
}
