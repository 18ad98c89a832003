//! What clients are told when a middleware answers itself:
//! [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details.
//!
//! ```text
//! HTTP/1.1 409 Conflict
//! content-type: application/problem+json
//!
//! {"type":"https://docs.rs/actix-web-idempotency/latest/actix_web_idempotency/problem/index.html#busy",
//!  "title":"The same request is still running","status":409,"detail":"Resource is busy"}
//! ```
//!
//! The `type` ends in the problem's name; what stands before it and how the whole is rendered can
//! be changed with [`Problems`]. Nothing internal appears in a body: neither keys nor hosts nor
//! error messages of the store.
//!
//! Those with `Retry-After` are the ones where waiting and repeating the same request can succeed
//! without running it twice.
//!
//! ## `busy`
//! Status 409, from [`ApiLock`](crate::ApiLock). The same request is still running. Without
//! `Retry-After`, because whoever repeats it once the first is done runs it a second time.
//!
//! ## `key-missing`
//! Status 400. The operation asks for an idempotency key and the request has none. Make one, a UUID
//! say, and send it with this request and each of its repetitions.
//!
//! ## `key-invalid`
//! Status 400. The idempotency key is empty, too long, repeated, holds characters other than visible
//! ASCII, or begins with a quote and is not one complete
//! [RFC 9651](https://www.rfc-editor.org/rfc/rfc9651#name-strings) String.
//!
//! ## `scope-missing`
//! Status 401. Keys belong to a caller, and this request does not say whose it is.
//!
//! ## `in-flight`
//! Status 409 with `Retry-After`. The first request with this key has not been answered yet. Send
//! the same request again later, with the same key.
//!
//! ## `key-reused`
//! Status 422. The key stands for another request: another body, query or content type. Repeating
//! this will not help; a new request needs a new key.
//!
//! ## `outcome-unknown`
//! Status 409. The first request with this key was cut off, nobody knows what it has done, and the
//! operation is not one to be tried twice. Find out, then use a new key.
//!
//! ## `response-not-stored`
//! Status 409. The first request with this key has been carried out, but its answer could not be
//! kept. It will not be carried out again. `original_status` is the status of the lost answer, when
//! it is known, and `location` its `Location`, when it had one.
//!
//! ## `payload-too-large`
//! Status 413. The request body is larger than the middleware reads. Nothing was begun.
//!
//! ## `body-timeout`
//! Status 408. The request body stopped arriving. Nothing was begun.
//!
//! ## `store-unavailable`
//! Status 503 with `Retry-After`. Whether the same request is running cannot be found out, so it did
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

/// One refusal, as it is about to be told to the client.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: ProblemKind,
    base: Cow<'static, str>,
    detail: Cow<'static, str>,
    retry_after: u32,
    extensions: Vec<Extension>,
}

impl Problem {
    /// Which problem it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The absolute URI that names the problem's type.
    pub fn type_uri(&self) -> String {
        format!("{}#{}", self.base, self.kind.as_str())
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The seconds after which repeating the same request can succeed, if it can.
    pub fn retry_after(&self) -> Option<u32> {
        self.kind.can_be_retried().then_some(self.retry_after)
    }

    /// The answer with the problem's own status.
    pub fn to_response(&self) -> HttpResponse {
        self.to_response_with(self.kind.status())
    }

    /// The answer with another status, in the status line and in the body.
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
