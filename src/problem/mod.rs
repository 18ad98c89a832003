//! The responses of a middleware itself, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details.
//!
//! ```text
//! HTTP/1.1 409 Conflict
//! content-type: application/problem+json
//!
//! {"type":"https://docs.rs/actix-web-idempotency/latest/actix_web_idempotency/problem/index.html#busy",
//!  "title":"The same request is still running","status":409,"detail":"Resource is busy"}
//! ```
//!
//! The `type` ends in the problem's name; [`Problems`] changes what precedes it and how the whole is rendered.
//! Nothing internal appears in a body: neither keys nor hosts nor error messages of the store.
//!
//! A problem has `Retry-After` if waiting and repeating the same request can succeed without running it twice.
//!
//! ## `busy`
//! Status 409, from [`ApiLock`](crate::ApiLock). The same request is still running. Without `Retry-After`,
//! because repeating it after the first has ended runs it a second time.
//!
//! ## `key-missing`
//! Status 400. The operation requires an idempotency key and the request has none. Create one, for instance a
//! UUID, and send it with this request and each of its retries.
//!
//! ## `key-invalid`
//! Status 400. The idempotency key is empty, too long, repeated, contains characters other than visible ASCII,
//! or begins with a quote and is not one complete [RFC
//! 9651](https://www.rfc-editor.org/rfc/rfc9651#name-strings) String.
//!
//! ## `scope-missing`
//! Status 401. Keys belong to a caller, and this request does not identify its caller.
//!
//! ## `in-flight`
//! Status 409 with `Retry-After`. The original request with this key is still running. Send the same request
//! again later, with the same key.
//!
//! ## `key-reused`
//! Status 422. The key belongs to another request, with another body, query or content type. Repeating this
//! request does not help; a new request needs a new key.
//!
//! ## `outcome-unknown`
//! Status 409. The original request with this key was cut off, its outcome is unknown, and the operation must
//! not be tried twice. Find out what happened, then use a new key.
//!
//! ## `response-not-stored`
//! Status 409. The original request with this key was carried out, but its response could not be recorded. It
//! will not be carried out again. `original_status` is the status of the lost response, if it is known, and
//! `location` its `Location`, if it had one.
//!
//! ## `payload-too-large`
//! Status 413. The request body is larger than the middleware reads. Nothing was started.
//!
//! ## `body-timeout`
//! Status 408. The request body stopped arriving. Nothing was started.
//!
//! ## `store-unavailable`
//! Status 503 with `Retry-After`. It cannot be found out whether the same request is running, so this one did
//! not run.

mod extension;
mod kind;
mod problems;

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::{Serialize, Serializer, ser::SerializeMap};

pub use self::kind::ProblemKind;
pub use self::problems::Problems;
pub(crate) use self::{extension::Extension, problems::GeneratedResponse};

/// A refusal, before it is sent to the client.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: ProblemKind,
    base: Cow<'static, str>,
    detail: Cow<'static, str>,
    retry_after: u32,
    extensions: Vec<Extension>,
}

impl Problem {
    /// Returns the kind.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// Returns the absolute URI that names the problem's type.
    pub fn type_uri(&self) -> String {
        format!("{}#{}", self.base, self.kind.as_str())
    }

    /// Returns the sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the seconds after which repeating the same request can succeed, if it can.
    pub fn retry_after(&self) -> Option<u32> {
        self.kind.can_be_retried().then_some(self.retry_after)
    }

    /// Returns the response with the problem's own status.
    pub fn to_response(&self) -> HttpResponse {
        self.to_response_with(self.kind.status())
    }

    /// Returns the response with another status, in the status line and in the body.
    pub fn to_response_with(&self, status: StatusCode) -> HttpResponse {
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        let body = ProblemBody {
            problem: self,
            status,
        };
        match serde_json::to_string(&body) {
            Ok(text) => response.body(text),
            // Strings and numbers can always be written; the status alone says enough.
            Err(_) => response.finish(),
        }
    }
}

/// The members in the order in which RFC 9457 explains them.
struct ProblemBody<'a> {
    problem: &'a Problem,
    status: StatusCode,
}

impl Serialize for ProblemBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(4 + self.problem.extensions.len()))?;
        members.serialize_entry("type", &self.problem.type_uri())?;
        members.serialize_entry("title", self.problem.kind.title())?;
        members.serialize_entry("status", &self.status.as_u16())?;
        members.serialize_entry("detail", &self.problem.detail)?;
        for extension in &self.problem.extensions {
            members.serialize_entry(extension.name(), extension)?;
        }
        members.end()
    }
}
