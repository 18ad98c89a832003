pub(crate) use actix_web_idempotency::problem::ProblemKind;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::keys::REPLAYED;

/// Name, status and whether there is a `Retry-After`, as the HTTP contract has them: not asked from the
/// code, which might have them wrong.
fn contract(kind: ProblemKind) -> (&'static str, u16, bool) {
    match kind {
        ProblemKind::Busy => ("busy", 409, false),
        ProblemKind::KeyMissing => ("key-missing", 400, false),
        ProblemKind::KeyInvalid => ("key-invalid", 400, false),
        ProblemKind::ScopeMissing => ("scope-missing", 401, false),
        ProblemKind::InFlight => ("in-flight", 409, true),
        ProblemKind::KeyReused => ("key-reused", 422, false),
        ProblemKind::OutcomeUnknown => ("outcome-unknown", 409, false),
        ProblemKind::ResponseNotStored => ("response-not-stored", 409, false),
        ProblemKind::PayloadTooLarge => ("payload-too-large", 413, false),
        ProblemKind::BodyTimeout => ("body-timeout", 408, false),
        ProblemKind::StoreUnavailable => ("store-unavailable", 503, true),
        other => panic!("{other:?} is not in the contract"),
    }
}

/// Asserts that a response is this problem, in every respect of the HTTP contract, and returns its members.
pub(crate) async fn assert_problem(response: Response, kind: ProblemKind) -> Value {
    let (name, status, retry) = contract(kind);
    assert_eq!(response.status(), status, "{name}");
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers.contains_key("retry-after"), retry, "{name}");
    assert!(!headers.contains_key(REPLAYED));
    let text = response.text().await.unwrap();
    let lower = text.to_lowercase();
    for internal in ["redis", "store:", "127.0.0.1", "idempotency:", "token"] {
        assert!(
            !lower.contains(internal),
            "{internal} is nobody's business: {text}"
        );
    }
    let problem: Value = serde_json::from_str(&text).unwrap();
    let uri = problem["type"].as_str().unwrap();
    assert!(
        uri.starts_with("https://") && uri.ends_with(&format!("#{name}")),
        "{uri}"
    );
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    problem
}

/// Sends a request and asserts that it is refused with this problem.
pub(crate) async fn assert_refused(request: RequestBuilder, kind: ProblemKind) {
    assert_problem(request.send().await.unwrap(), kind).await;
}
