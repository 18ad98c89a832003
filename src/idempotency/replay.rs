use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};

use super::named_header::NamedHeader;
use crate::{
    problem::{Extension, GeneratedResponse},
    store::{RecordedResponse, Tombstone},
};

/// The recorded response once more; `None` when what was recorded is not a response of HTTP.
pub(super) fn replay(
    answer: RecordedResponse,
    replay_header: &NamedHeader,
) -> Option<HttpResponse> {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).ok()?);
    for (name, value) in answer.headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_maybe_shared(value).ok()?;
        response.append_header((name, value));
    }
    if let Some(name) = replay_header.get() {
        response.insert_header((name.clone(), HeaderValue::from_static("true")));
    }
    let mut response = response.body(answer.body);
    GeneratedResponse::mark(&mut response);
    Some(response)
}

/// What can still be said about a response that was not kept.
pub(super) fn remains(tombstone: &Tombstone) -> Vec<Extension> {
    let status = tombstone.status.map(Extension::OriginalStatus);
    let location = tombstone.location.as_ref();
    let location = location.map(|url| Extension::Location(String::from_utf8_lossy(url).into()));
    status.into_iter().chain(location).collect()
}
