use std::{borrow::Cow, cell::Ref, fmt, iter, net::SocketAddr};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    dev::Extensions,
    error::JsonPayloadError,
    http::{
        Method, Uri, Version,
        header::{HOST, HeaderMap, HeaderValue},
    },
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::middleware::RequestBody;

/// The request as closures of the application see it, its body already read.
///
/// ```
/// use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
/// use serde_json::json;
///
/// let lock = ApiLock::new(MemoryStore::new(), |req| {
///     json!({ "user": req.header("authorization"), "path": req.path(), "body": req.body() })
/// });
/// ```
pub struct RequestView<'a> {
    request: &'a HttpRequest,
    bytes: &'a Bytes,
}

impl<'a> RequestView<'a> {
    pub(crate) fn new(request: &'a HttpRequest, bytes: &'a Bytes) -> Self {
        Self { request, bytes }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// The path as it came, for instance `/orders/7`.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The query as it came, without the `?`; empty when there is none.
    pub fn query_string(&self) -> &str {
        self.request.query_string()
    }

    /// The whole request target.
    pub fn uri(&self) -> &Uri {
        self.request.uri()
    }

    /// The pattern of the route that will handle the request, for instance `/orders/{id}`;
    /// `None` when no route will.
    pub fn match_pattern(&self) -> Option<String> {
        self.request.match_pattern()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The value of a header; `None` when it is absent.
    ///
    /// On HTTP/2, which has `:authority` in the place of `Host`, `header("host")` gives that.
    ///
    /// A header that is repeated gives all its values, joined by `, `. A value that is not UTF-8 is
    /// read as Latin-1 behind a DEL (U+007F), which no header can hold: values that differ stay
    /// different, also from the same text in UTF-8.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let authority = match name.eq_ignore_ascii_case("host") {
            true => self.authority(),
            false => None,
        };
        let values = self.headers().get_all(name).map(header_text);
        let mut values = values.chain(authority.map(Cow::Borrowed));
        let first = values.next()?;
        Some(values.fold(first, |all, value| Cow::Owned(format!("{all}, {value}"))))
    }

    /// What HTTP/2 has in the place of `Host`, unless that was sent as well and says the same
    /// ([RFC 9113](https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1)).
    pub(crate) fn authority(&self) -> Option<&str> {
        if self.request.version() != Version::HTTP_2 {
            return None;
        }
        let authority = self.uri().authority()?.as_str();
        let mut hosts = self.headers().get_all(HOST);
        let is_said = hosts.any(|host| host.as_bytes() == authority.as_bytes());
        (!is_said).then_some(authority)
    }

    /// The address of the other end of the connection: a proxy's, if there is one. `None` on a
    /// unix socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.request.peer_addr()
    }

    /// What outer middlewares have left for the request, such as the user that one of them
    /// authenticated.
    pub fn extensions(&self) -> Ref<'_, Extensions> {
        self.request.extensions()
    }

    /// The body, to be put into a payload. Empty with
    /// [`ignore_body`](crate::api_lock::ApiLockBuilder::ignore_body).
    pub fn body(&self) -> RequestBody<'_> {
        RequestBody::new(self.bytes, self.headers())
    }

    /// The body, read as JSON, for a payload that is only a part of it.
    ///
    /// ```
    /// use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     basket: u64,
    /// }
    /// let basket = LockPayload::fallible(|req| Ok(Some(req.json::<Order>()?.basket)));
    /// let lock = ApiLock::builder_with_payload(MemoryStore::new(), basket).build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the body is not JSON of this shape: an error that is answered with 400, as actix'
    /// `Json` extractor does.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes).map_err(|err| JsonPayloadError::Deserialize(err).into())
    }

    /// The body's bytes as they came, compressed if the client compressed them. Into a payload goes
    /// [`Fingerprint::digest`](crate::Fingerprint::digest) of them, which costs less than
    /// [`body`](Self::body) where requests that mean the same are written alike.
    pub fn bytes(&self) -> &Bytes {
        self.bytes
    }
}

/// Stands before a header value that is read as Latin-1.
const NOT_UTF8: char = '\u{7f}';

fn header_text(value: &HeaderValue) -> Cow<'_, str> {
    match str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let latin = value.as_bytes().iter().copied().map(char::from);
            iter::once(NOT_UTF8).chain(latin).collect()
        }
    }
}

/// Neither headers nor query nor body: they may hold secrets.
impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestView")
            .field("method", self.method())
            .field("path", &self.path())
            .field("body", &self.body())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_header_is_all_its_values() {
        let request = TestRequest::default()
            .append_header(("x", "a"))
            .append_header(("x", "b"))
            .append_header(("latin", HeaderValue::from_bytes(b"\xe9").unwrap()))
            .append_header(("utf8", HeaderValue::from_bytes("é".as_bytes()).unwrap()))
            .to_http_request();
        let bytes = Bytes::new();
        let view = RequestView::new(&request, &bytes);
        assert_eq!(view.header("X").as_deref(), Some("a, b"));
        assert_eq!(view.header("latin").as_deref(), Some("\u{7f}é"));
        assert_eq!(view.header("utf8").as_deref(), Some("é"));
        assert_eq!(view.header("y"), None);
    }

    #[test]
    fn a_body_that_is_not_the_json_asked_for_is_a_400() {
        let request = TestRequest::default().to_http_request();
        let (good, bad) = (Bytes::from_static(b"[1]"), Bytes::from_static(b"[1"));
        let numbers: Vec<u8> = RequestView::new(&request, &good).json().unwrap();
        assert_eq!(numbers, [1]);
        let err = RequestView::new(&request, &bad)
            .json::<Vec<u8>>()
            .unwrap_err();
        assert_eq!(err.as_response_error().status_code(), 400);
    }

    #[test]
    fn debug_shows_no_secret() {
        let request = TestRequest::with_uri("/pay?token=secret")
            .append_header(("authorization", "secret"))
            .to_http_request();
        let bytes = Bytes::from_static(b"secret");
        let shown = format!("{:?}", RequestView::new(&request, &bytes));
        assert!(
            shown.contains("/pay") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
