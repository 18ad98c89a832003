//! What both middlewares share: which requests they guard, how they read one, what they do to a response's
//! body, and the shadow.

mod body;
mod body_reader;
pub mod cors;
mod decision;
mod guarded_body;
pub(crate) mod media_type;
mod outer_claims;
mod request_filter;
mod request_view;
pub(crate) mod shadow;

pub use self::{body::Body, guarded_body::GuardedBody, request_view::RequestView};
pub(crate) use self::{
    body_reader::BodyReader,
    decision::{Decision, Refusal},
    guarded_body::Recorder,
    outer_claims::OuterClaims,
    request_filter::RequestFilter,
};

use actix_web::{Error, dev::ServiceResponse};

/// The status of a response, or of what is made of the error.
pub(crate) fn status_of<B>(response: &Result<ServiceResponse<B>, Error>) -> u16 {
    let status = match response {
        Ok(response) => response.status(),
        Err(err) => err.as_response_error().status_code(),
    };
    status.as_u16()
}
