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

    /// Returns the method.
    pub fn method(&self) -> &Method {
        self.request.method()
    }

    /// Returns the raw path, for instance `/orders/7`.
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// Returns the raw query without the `?`; empty if there is none.
    pub fn query_string(&self) -> &str {
        self.request.query_string()
    }

    /// Returns the whole request target.
    pub fn uri(&self) -> &Uri {
        self.request.uri()
    }

    /// Returns the pattern of the route that handles the request, for instance `/orders/{id}`; `None` if no
    /// route does.
    pub fn match_pattern(&self) -> Option<String> {
        self.request.match_pattern()
    }

    /// Returns all headers.
    pub fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Returns the value of a header; `None` if it is absent.
    ///
    /// On HTTP/2, `header("host")` returns `:authority`, which replaces `Host` there.
    ///
    /// A repeated header returns all its values, joined by `, `. A value that is not UTF-8 is read as Latin-1
    /// behind a DEL (U+007F), which no header can contain: values that differ stay different, also from the
    /// same text in UTF-8.
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

    /// Returns `:authority` of HTTP/2, unless `Host` was sent as well and has the same value ([RFC
    /// 9113](https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1)).
    pub(crate) fn authority(&self) -> Option<&str> {
        if self.request.version() != Version::HTTP_2 {
            return None;
        }
        let authority = self.uri().authority()?.as_str();
        let mut hosts = self.headers().get_all(HOST);
        let is_said = hosts.any(|host| host.as_bytes() == authority.as_bytes());
        (!is_said).then_some(authority)
    }

    /// Returns the address of the peer: a proxy's, if there is one. `None` on a unix socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.request.peer_addr()
    }

    /// Returns what outer middlewares have stored with the request, such as the authenticated user.
    pub fn extensions(&self) -> Ref<'_, Extensions> {
        self.request.extensions()
    }

    /// Returns the body for a payload. Empty with
    /// [`ignore_body`](crate::api_lock::ApiLockBuilder::ignore_body).
    pub fn body(&self) -> RequestBody<'_> {
        RequestBody::new(self.bytes, self.headers())
    }

    /// Parses the body as JSON, for a payload that is a part of it.
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
    /// When the body is not JSON of this shape. The response to the error is 400, as with actix' `Json`
    /// extractor.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes).map_err(|err| JsonPayloadError::Deserialize(err).into())
    }

    /// Returns the raw bytes of the body, compressed if the client compressed them. For a payload take
    /// [`Fingerprint::digest`](crate::Fingerprint::digest) of them: it costs less than [`body`](Self::body),
    /// but treats the same JSON written differently as different.
    pub fn bytes(&self) -> &Bytes {
        self.bytes
    }
}

/// Marks a header value that was read as Latin-1.
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
