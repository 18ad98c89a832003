use std::{cell::RefCell, fmt};

use actix_web::{
    Error, HttpResponse, ResponseError,
    body::{self, BodySize, BoxBody, MessageBody},
    http::{StatusCode, header::HeaderMap},
};
use bytes::Bytes;

use super::transient::Transient;
use crate::problem::GeneratedResponse;

/// The error of an inner layer, and the response that it makes.
///
/// An error is rendered by the outermost layer, and again by whoever looks at its response on the way.
/// Some give their response away the first time, as an `InternalError::from_response` does, and are an
/// empty 500 from then on. So it is rendered once, and this takes its place.
pub(super) struct RenderedError {
    error: Error,
    status: StatusCode,
    /// Until somebody renders the error. In a cell, because rendering takes a shared reference.
    response: RefCell<Option<HttpResponse>>,
    /// The parts of later renderings; a body that streams is there once.
    again: Option<Again>,
}

struct Again {
    headers: HeaderMap,
    /// `None` when there is no body, which is sent differently than an empty one.
    body: Option<Bytes>,
    is_own: bool,
    is_transient: bool,
}

impl RenderedError {
    /// `response` is what has become of the response that the error was rendered to.
    pub(super) fn new<B: MessageBody + 'static>(error: Error, response: HttpResponse<B>) -> Self {
        let status = response.status();
        let headers = response.headers().clone();
        let is_own = response.extensions().contains::<GeneratedResponse>();
        let is_transient = Transient::is_on(&response);
        let (head, sent) = response.into_parts();
        let (sent, again) = match (sent.size(), sent.try_into_bytes()) {
            (BodySize::None, Ok(_)) => (BoxBody::new(body::None::new()), Some(None)),
            (_, Ok(bytes)) => (BoxBody::new(bytes.clone()), Some(Some(bytes))),
            (_, Err(sent)) => (BoxBody::new(sent), None),
        };
        Self {
            error,
            status,
            response: RefCell::new(Some(head.set_body(sent))),
            again: again.map(|body| Again {
                headers,
                body,
                is_own,
                is_transient,
            }),
        }
    }
}

impl ResponseError for RenderedError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(response) = self.response.borrow_mut().take() {
            return response;
        }
        let Some(again) = &self.again else {
            return HttpResponse::new(self.status);
        };
        let sent = match &again.body {
            Some(bytes) => BoxBody::new(bytes.clone()),
            None => BoxBody::new(body::None::new()),
        };
        let mut response = HttpResponse::with_body(self.status, sent);
        *response.headers_mut() = again.headers.clone();
        if again.is_own {
            GeneratedResponse::mark(&mut response);
        }
        if again.is_transient {
            Transient::mark(&mut response);
        }
        response
    }
}

impl fmt::Display for RenderedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl fmt::Debug for RenderedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{body::to_bytes, error::InternalError};
    use futures_util::stream;

    use super::*;

    fn rendered(response: HttpResponse) -> RenderedError {
        let error = Error::from(InternalError::from_response("why", response));
        let response = error.error_response();
        RenderedError::new(error, response)
    }

    async fn shown(error: &RenderedError) -> (u16, String, BodySize, Bytes) {
        let response = error.error_response();
        let header = response.headers().get("x-why").unwrap();
        let header = header.to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let size = response.body().size();
        let body = to_bytes(response.into_body()).await.unwrap();
        (status, header, size, body)
    }

    #[actix_web::test]
    async fn error_with_a_body_in_memory_renders_alike_each_time() {
        for body in [&b"slow down"[..], b""] {
            let response = HttpResponse::TooManyRequests()
                .append_header(("x-why", "limit"))
                .body(body);
            let error = rendered(response);
            for _ in 0..3 {
                let (status, header, _, seen) = shown(&error).await;
                assert_eq!((status, header.as_str()), (429, "limit"));
                assert_eq!(seen, body);
            }
        }
    }

    #[actix_web::test]
    async fn error_without_a_body_stays_without_one() {
        let mut response =
            HttpResponse::with_body(StatusCode::NO_CONTENT, BoxBody::new(body::None::new()));
        let why = actix_web::http::header::HeaderValue::from_static("none");
        let name = actix_web::http::header::HeaderName::from_static("x-why");
        response.headers_mut().insert(name, why);
        let error = rendered(response);
        for _ in 0..2 {
            assert_eq!(shown(&error).await.2, BodySize::None);
        }
    }

    #[actix_web::test]
    async fn error_with_a_stream_renders_it_once_and_keeps_its_status() {
        let pieces = stream::iter([Ok::<_, Error>(Bytes::from_static(b"a"))]);
        let response = HttpResponse::ImATeapot()
            .append_header(("x-why", "tea"))
            .streaming(pieces);
        let error = rendered(response);
        assert_eq!(&shown(&error).await.3[..], b"a");
        assert_eq!(error.error_response().status(), 418);
        assert_eq!(error.status_code(), 418);
    }

    #[actix_web::test]
    async fn marks_of_a_response_are_kept_each_time() {
        let mut response = HttpResponse::Conflict().finish();
        GeneratedResponse::mark(&mut response);
        Transient::mark(&mut response);
        let error = rendered(response);
        for _ in 0..2 {
            let response = error.error_response();
            assert!(response.extensions().contains::<GeneratedResponse>());
            assert!(Transient::is_on(&response));
        }
    }

    #[actix_web::test]
    async fn display_and_debug_are_those_of_the_error() {
        let error = rendered(HttpResponse::Conflict().finish());
        assert_eq!(error.to_string(), "why");
        assert_eq!(format!("{error:?}"), "\"why\"");
    }
}
