use utoipa::ToSchema;

/// Why a request did not run: problem details (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents the middleware's own responses")]
pub(crate) struct Problem {
    /// Ends in the name of the problem.
    #[schema(
        format = "uri",
        pattern = "#(body-timeout|in-flight|key-invalid|key-missing|key-reused|outcome-unknown|\
                   payload-too-large|response-not-stored|scope-missing|store-unavailable)$"
    )]
    r#type: String,
    /// What kind of thing happened, the same for every occurrence.
    title: String,
    /// The status of this response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The sentence for people.
    detail: String,
    /// Of `response-not-stored`: the status of the response that was not stored, if it is known.
    #[schema(nullable = false, minimum = 100, maximum = 599)]
    original_status: Option<u16>,
    /// Of `response-not-stored`: the `Location` of that response, if it had one.
    #[schema(nullable = false)]
    location: Option<String>,
}
