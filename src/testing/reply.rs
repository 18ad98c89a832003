use std::{borrow::Cow, fmt};

use actix_web::http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use bytes::Bytes;
use serde_json::Value;

/// A response as a client sees it, read to its end.
#[derive(Clone)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    replayed_by: Cow<'static, str>,
}

impl Reply {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            replayed_by: "idempotent-replayed".into(),
        }
    }

    /// Which header says that it is a replay.
    pub(super) fn set_replayed_by(&mut self, header: &str) {
        self.replayed_by = header.to_owned().into();
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns whether it is a replay, by `Idempotent-Replayed: true` or [another
    /// header](super::Replies::replayed_by).
    pub fn is_replay(&self) -> bool {
        let says = self.headers.get(&*self.replayed_by);
        says.is_some_and(|value| value == "true")
    }

    /// Returns the name of the [problem](crate::problem) with which the request was refused, such as
    /// `in-flight`; `None` if the response is no problem document, or its `type` has no name.
    pub fn problem(&self) -> Option<String> {
        let media_type = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        if !media_type.starts_with("application/problem+json") {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let (_, name) = body.get("type")?.as_str()?.rsplit_once('#')?;
        Some(name.to_owned())
    }

    /// Returns whether a handler made it for this very request.
    pub(super) fn is_first(&self) -> bool {
        !self.is_replay() && self.problem().is_none()
    }

    /// Returns whether both have the same content.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.status == other.status && self.body == other.body
    }
}

/// Shows the status and the origin; the content may be a secret.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        match self.problem() {
            _ if self.is_replay() => f.write_str(", replayed"),
            Some(problem) => write!(f, ", refused: {problem}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}
