use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

use crate::{
    problem::{Extension, OwnAnswer},
    store::{Answer, Tombstone},
};

/// The recorded answer once more; `None` when what was recorded is not an answer of HTTP.
pub(super) fn replay(answer: Answer, replay_header: &str) -> Option<HttpResponse> {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).ok()?);
    for (name, value) in answer.headers {
        let name = HeaderName::try_from(name).ok()?;
        let value = HeaderValue::from_maybe_shared(value).ok()?;
        response.append_header((name, value));
    }
    response.insert_header((replay_header, "true"));
    let mut response = response.body(answer.body);
    OwnAnswer::mark(&mut response);
    Some(response)
}

/// What can still be said about an answer that was not kept.
pub(super) fn remains(tombstone: &Tombstone) -> Vec<Extension> {
    let status = tombstone.status.map(Extension::OriginalStatus);
    let location = tombstone.location.as_ref();
    let location = location.map(|url| Extension::Location(String::from_utf8_lossy(url).into()));
    status.into_iter().chain(location).collect()
}
