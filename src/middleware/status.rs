use actix_web::{Error, dev::ServiceResponse};

/// The status of an answer, or of what is made of the error.
pub(crate) fn of<B>(answer: &Result<ServiceResponse<B>, Error>) -> u16 {
    let status = match answer {
        Ok(answer) => answer.status(),
        Err(err) => err.as_response_error().status_code(),
    };
    status.as_u16()
}
