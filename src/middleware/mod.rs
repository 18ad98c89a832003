//! What both middlewares share: which requests they guard, how they read one, what they do to a response's
//! body, and the shadow.

mod body_reader;
pub mod cors;
mod decision;
mod guarded_body;
pub(crate) mod media_type;
mod outer_claims;
mod request_body;
mod request_filter;
mod request_fn;
mod request_view;
pub(crate) mod shadow;

pub(crate) use self::{
    body_reader::BodyReader,
    decision::{Decision, Refusal},
    guarded_body::{GuardedBody, Recorder},
    outer_claims::OuterClaims,
    request_filter::RequestFilter,
    request_fn::{RequestFn, digest},
};
pub use self::{request_body::RequestBody, request_view::RequestView};

use actix_web::{
    Error,
    body::{BoxBody, EitherBody},
    dev::ServiceResponse,
};

/// The handler's body, or one of ours. A handler's body that is in memory moves to the right side when its
/// claim has ended.
pub(crate) type ResponseBody<B> = EitherBody<GuardedBody<B>, BoxBody>;

/// The status of a response, or of what is made of the error.
pub(crate) fn status_of<B>(response: &Result<ServiceResponse<B>, Error>) -> u16 {
    let status = match response {
        Ok(response) => response.status(),
        Err(err) => err.as_response_error().status_code(),
    };
    status.as_u16()
}
