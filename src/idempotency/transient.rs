use std::fmt;

use actix_web::{Error, HttpResponse, ResponseError, http::StatusCode};

/// Marks a response or an error as transient: it is not recorded, whatever its status, and the key is free for
/// a retry.
///
/// For responses that the default rule records although a retry can end otherwise: a lost race for a row
/// version (409, 412), a serialization failure or a deadlock that became a 409, a lock of another system (423),
/// a precondition that the client still has to send (428). Mark only what has changed nothing.
///
/// An error type can mark its own response:
///
/// ```
/// use actix_web::{HttpResponse, ResponseError};
/// use actix_web_idempotency::idempotency::Transient;
///
/// #[derive(Debug)]
/// enum OrderError {
///     SoldOut,         // final: recorded and replayed
///     VersionConflict, // another request was faster; a retry reads the new version
/// }
///
/// # impl std::fmt::Display for OrderError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         write!(f, "{self:?}")
/// #     }
/// # }
/// impl ResponseError for OrderError {
///     fn error_response(&self) -> HttpResponse {
///         let mut response = HttpResponse::Conflict().body(self.to_string());
///         if matches!(self, Self::VersionConflict) {
///             Transient::mark(&mut response);
///         }
///         response
///     }
/// }
/// ```
///
/// An error of another crate is wrapped; its response stays as it is:
///
/// ```
/// use actix_web::{HttpResponse, Result, error::ErrorConflict};
/// use actix_web_idempotency::idempotency::Transient;
///
/// # enum DbError { Deadlock, Other }
/// # impl DbError { fn code(&self) -> &str { "40P01" } }
/// # async fn insert() -> Result<(), DbError> { Ok(()) }
/// async fn order() -> Result<HttpResponse> {
///     insert().await.map_err(|err| match err.code() {
///         // serialization_failure, deadlock_detected
///         "40001" | "40P01" => Transient::error(ErrorConflict("try again")),
///         _ => ErrorConflict("exists already"),
///     })?;
///     Ok(HttpResponse::Created().finish())
/// }
/// ```
///
/// [`Claim::record_always`](crate::Claim::record_always) overrides the mark.
#[derive(Clone, Copy, Debug)]
pub struct Transient;

impl Transient {
    /// Marks a response.
    pub fn mark<B>(response: &mut HttpResponse<B>) {
        response.extensions_mut().insert(Self);
    }

    /// Wraps an error so that its response is marked.
    pub fn error(err: impl Into<Error>) -> Error {
        TransientError(err.into()).into()
    }

    pub(super) fn is_on<B>(response: &HttpResponse<B>) -> bool {
        response.extensions().contains::<Self>()
    }
}

/// An error whose response is marked.
struct TransientError(Error);

impl ResponseError for TransientError {
    fn status_code(&self) -> StatusCode {
        self.0.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.0.error_response();
        Transient::mark(&mut response);
        response
    }
}

impl fmt::Display for TransientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TransientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
