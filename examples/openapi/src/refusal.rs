use utoipa::IntoResponses;

use crate::problem::Problem;

/// The middleware's own responses. Any guarded endpoint can name it among its responses.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents the middleware's responses")]
pub(crate) enum Refusal {
    /// `key-missing`, `key-invalid`: send one key, of 1 to 255 visible ASCII characters.
    #[response(status = 400, content_type = "application/problem+json")]
    Key(Problem),
    /// `scope-missing`: the request does not identify its caller.
    #[response(status = 401, content_type = "application/problem+json")]
    Scope(Problem),
    /// `body-timeout`: the body stopped arriving. Nothing was begun.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(Problem),
    /// With `Retry-After` `in-flight`: the first request with this key still runs; repeat this one
    /// later, with the same key. Without it `outcome-unknown` or `response-not-stored`: repeating
    /// will not help.
    #[response(
        status = 409,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds; only when repeating can succeed.")),
    )]
    Taken(Problem),
    /// `payload-too-large`: nothing was begun.
    #[response(status = 413, content_type = "application/problem+json")]
    Large(Problem),
    /// `key-reused`: the key belongs to another request. A new request needs a new key.
    #[response(status = 422, content_type = "application/problem+json")]
    Other(Problem),
    /// `store-unavailable`: nothing was begun; repeat this request later, with the same key.
    #[response(
        status = 503,
        content_type = "application/problem+json",
        headers(("Retry-After" = u32, description = "Seconds.")),
    )]
    Away(Problem),
}
