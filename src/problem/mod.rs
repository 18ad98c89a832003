//! What clients are told when a middleware answers itself:
//! [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details.
//!
//! ```text
//! HTTP/1.1 409 Conflict
//! content-type: application/problem+json
//!
//! {"type":"https://docs.rs/actix-idempotency/latest/actix_idempotency/problem/index.html#busy",
//!  "title":"The same request is still running","status":409,"detail":"Resource is busy"}
//! ```
//!
//! The `type` ends in the problem's name; [what stands before it](crate::ApiLockBuilder::problem_base)
//! and [how the whole is rendered](crate::ApiLockBuilder::render_problem) can be changed. Nothing
//! internal appears in a body: neither keys nor hosts nor error messages of the store.
//!
//! ## `busy`
//! Status 409. The same request is still running. Without `Retry-After`, because whoever repeats it once
//! the first is done runs it a second time.
//!
//! ## `payload-too-large`
//! Status 413. The request body is larger than the middleware reads. Nothing is locked.
//!
//! ## `body-timeout`
//! Status 408. The request body stopped arriving. Nothing is locked.
//!
//! ## `store-unavailable`
//! Status 503 with `Retry-After`. Whether the same request is running cannot be found out, so it did
//! not run.

mod kind;
mod renderer;

use std::borrow::Cow;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::{Serialize, Serializer, ser::SerializeMap};

pub use self::kind::ProblemKind;
pub(crate) use self::renderer::Renderer;

/// The seconds in `Retry-After`.
const RETRY_AFTER: u32 = 1;

/// One refusal, as it is about to be told to the client.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: ProblemKind,
    base: Cow<'static, str>,
    detail: Cow<'static, str>,
}

impl Problem {
    /// Which problem it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The absolute URI that names the problem's type.
    pub fn type_uri(&self) -> String {
        format!("{}#{}", self.base, self.kind.name())
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The seconds after which repeating the same request can succeed, if it can.
    pub fn retry_after(&self) -> Option<u32> {
        self.kind.can_be_retried().then_some(RETRY_AFTER)
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
        let body = Body {
            problem: self,
            status,
        };
        match serde_json::to_string(&body) {
            Ok(text) => response.body(text),
            // Four strings and a number can always be written; the status alone says enough.
            Err(_) => response.finish(),
        }
    }
}

/// The members in the order in which RFC 9457 explains them.
struct Body<'a> {
    problem: &'a Problem,
    status: StatusCode,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(4))?;
        members.serialize_entry("type", &self.problem.type_uri())?;
        members.serialize_entry("title", self.problem.kind.title())?;
        members.serialize_entry("status", &self.status.as_u16())?;
        members.serialize_entry("detail", &self.problem.detail)?;
        members.end()
    }
}
