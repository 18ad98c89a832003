use std::{fmt, sync::Arc};

use actix_web::{Error, web};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::named_header::NamedHeader;
use crate::{
    config::ConfigError,
    fingerprint::{Fingerprint, canonical, put},
    middleware::{
        RequestFn, RequestView, digest,
        media_type::{is_json, media_type},
    },
};

/// Larger bodies count by their bytes, or are parsed on another thread.
const MOST_AT_ONCE: usize = 64 * 1024;

/// The comparison of two requests with the same key: whether they are the same request.
///
/// The default compares the raw query, the media type of `Content-Type`, and the body. JSON of up to 64 KiB is
/// compared by value (member order and white space do not matter, every digit does), a form by its pairs,
/// everything else by its bytes. Another request with a used key gets 422 `key-reused` instead of a response to
/// something it did not ask.
///
/// ```
/// use actix_web_idempotency::Fingerprinting;
///
/// // The version of the API is a part of the question.
/// let with_version = Fingerprinting::new().with_header("x-api-version");
///
/// // A client that stamps each try with the time.
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Payment { amount: u64, to: String }
/// let by_fields = Fingerprinting::from_fn(|req| req.json::<Payment>());
/// ```
#[derive(Clone)]
#[must_use]
pub struct Fingerprinting {
    method: Comparison,
    headers: Vec<NamedHeader>,
}

#[derive(Clone)]
enum Comparison {
    Request,
    Closure(RequestFn<Fingerprint>),
    Off,
}

impl Fingerprinting {
    /// Returns the default: query, media type and body.
    pub fn new() -> Self {
        Self::from(Comparison::Request)
    }

    /// Compares by the value that a closure makes of the request: any `Serialize`, compared as canonical
    /// JSON. An error becomes the response, and nothing is claimed.
    pub fn from_fn<F, T>(value: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> Result<T, Error> + Send + Sync + 'static,
        T: Serialize + 'static,
    {
        Self::from(Comparison::Closure(RequestFn::from_fn(value, compared)))
    }

    /// Compares by the value of an async closure. Otherwise like [`from_fn`](Self::from_fn).
    ///
    /// ```
    /// use actix_web_idempotency::Fingerprinting;
    ///
    /// # async fn decrypt(body: &[u8]) -> Result<String, actix_web::Error> { Ok(String::new()) }
    /// // Each try is encrypted anew, so its bytes differ.
    /// let decrypted = Fingerprinting::from_async_fn(async |req| decrypt(req.bytes()).await);
    /// ```
    pub fn from_async_fn<F, T>(value: F) -> Self
    where
        F: AsyncFn(&RequestView<'_>) -> Result<T, Error> + Send + Sync + 'static,
        T: Serialize + 'static,
    {
        Self::from(Comparison::Closure(RequestFn::from_async_fn(
            value, compared,
        )))
    }

    /// Compares nothing: the key alone decides. Every request with a used key gets the recorded response,
    /// whatever it asks for.
    pub fn off() -> Self {
        Self::from(Comparison::Off)
    }

    /// Adds a header to the comparison, with all its values in their order.
    pub fn with_header(mut self, name: impl Into<Arc<str>>) -> Self {
        self.headers.push(NamedHeader::new(name));
        self
    }

    fn from(method: Comparison) -> Self {
        Self {
            method,
            headers: Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if matches!(self.method, Comparison::Off) && !self.headers.is_empty() {
            return Err(ConfigError::new(
                "Fingerprinting::off() must not have with_header(..), because it compares nothing",
            ));
        }
        match self.headers.iter().find(|name| name.get().is_none()) {
            Some(name) => Err(ConfigError::new(format!(
                "a header of the fingerprint must be a valid header name (got {name:?})"
            ))),
            None => Ok(()),
        }
    }

    pub(super) async fn fingerprint(
        &self,
        req: &RequestView<'_>,
    ) -> Result<Option<Fingerprint>, Error> {
        let mut digest = Sha256::new();
        match &self.method {
            Comparison::Off => return Ok(None),
            Comparison::Closure(make) => put(&mut digest, make.call(req).await?.as_bytes()),
            Comparison::Request => {
                put(&mut digest, req.query_string());
                let media_type = media_type(req.headers());
                put(&mut digest, &media_type);
                put_body(&mut digest, &media_type, req.bytes()).await?;
            }
        }
        for name in &self.headers {
            put(&mut digest, name.as_str());
            let values: Vec<_> = name.values_of(req).collect();
            put(&mut digest, values.len().to_be_bytes());
            for value in values {
                put(&mut digest, value);
            }
        }
        Ok(Some(Fingerprint::new(digest.finalize().into())))
    }
}

fn compared<T: Serialize>(value: Result<T, Error>) -> Result<Fingerprint, Error> {
    digest(&value?, "value of a fingerprint")
}

async fn put_body(digest: &mut Sha256, media_type: &[u8], body: &Bytes) -> Result<(), Error> {
    if media_type == b"application/x-www-form-urlencoded" {
        let pairs = match body.len() {
            0..=MOST_AT_ONCE => canonical::form(body),
            _ => {
                let body = body.clone();
                web::block(move || canonical::form(&body)).await?
            }
        };
        put(digest, pairs);
        return Ok(());
    }
    if is_json(media_type)
        && body.len() <= MOST_AT_ONCE
        && let Some(text) = canonical::json(body)
    {
        put(digest, text);
        return Ok(());
    }
    put(digest, body);
    Ok(())
}

impl Default for Fingerprinting {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Fingerprinting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Comparison::Request => "request",
            Comparison::Closure(_) => "closure",
            Comparison::Off => "off",
        };
        f.debug_struct("Fingerprinting")
            .field("method", &method)
            .field("headers", &self.headers)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{http::header::CONTENT_TYPE, test::TestRequest};
    use futures_util::FutureExt;

    use super::*;

    fn fingerprint(
        how: &Fingerprinting,
        uri: &str,
        kind: &str,
        body: &'static [u8],
    ) -> Fingerprint {
        let mut request = TestRequest::with_uri(uri);
        if !kind.is_empty() {
            request = request.insert_header((CONTENT_TYPE, kind));
        }
        let (request, bytes) = (request.to_http_request(), Bytes::from_static(body));
        let view = RequestView::new(&request, &bytes);
        let made = how.fingerprint(&view).now_or_never().unwrap();
        made.unwrap().unwrap()
    }

    fn same(kind: &str, one: &'static str, other: &'static str) -> bool {
        let how = Fingerprinting::new();
        fingerprint(&how, "/", kind, one.as_bytes())
            == fingerprint(&how, "/", kind, other.as_bytes())
    }

    #[test]
    fn json_compares_by_value_and_every_digit() {
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/a+json",
        ] {
            assert!(same(
                kind,
                r#"{"a":1,"b":[2]}"#,
                "{ \"b\": [ 2 ],\n\"a\": 1 }"
            ));
            assert!(!same(kind, r#"{"a":1}"#, r#"{"a":1.0}"#));
            assert!(!same(kind, r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#));
        }
        assert!(!same("text/plain", "{}", "{ }"));
        assert!(!same("", "{}", "{ }"));
        assert!(
            !same("application/json", "{", "{ "),
            "what is not JSON counts by its bytes"
        );
    }

    #[test]
    fn json_beyond_the_bound_counts_by_its_bytes() {
        let how = Fingerprinting::new();
        let body = |size: usize, space: &str| -> &'static [u8] {
            format!("[{space}\"{}\"]", "x".repeat(size))
                .leak()
                .as_bytes()
        };
        let of_body = |body| fingerprint(&how, "/", "application/json", body);
        assert_eq!(of_body(body(60_000, "")), of_body(body(60_000, " ")));
        assert_ne!(of_body(body(70_000, "")), of_body(body(70_000, " ")));
    }

    #[test]
    fn a_form_compares_by_pairs_stably_sorted() {
        let kind = "application/x-www-form-urlencoded";
        assert!(same(kind, "a=1&b=2", "b=2&a=1"));
        assert!(same(kind, "a=x+y", "a=x%20y"));
        assert!(
            !same(kind, "a=1&a=2", "a=2&a=1"),
            "the order within a name says something"
        );
        assert!(!same(kind, "a=1", "a=2"));
        assert!(!same(kind, "ab=c", "a=bc"));
    }

    #[test]
    fn query_and_media_type_count_and_parameters_do_not() {
        let how = Fingerprinting::new();
        let base = fingerprint(&how, "/?a=1", "text/plain", b"x");
        assert_ne!(base, fingerprint(&how, "/?a=2", "text/plain", b"x"));
        assert_ne!(base, fingerprint(&how, "/?a=1", "text/html", b"x"));
        assert_ne!(base, fingerprint(&how, "/?a=1", "", b"x"));
        assert_eq!(
            base,
            fingerprint(&how, "/?a=1", "TEXT/plain ; charset=utf-8", b"x")
        );
        assert_eq!(
            base,
            fingerprint(&how, "/other?a=1", "text/plain", b"x"),
            "the path is in the key"
        );
    }

    #[test]
    fn query_media_type_and_body_are_told_apart() {
        let how = Fingerprinting::new();
        let base = fingerprint(&how, "/?a", "text/plain", b"x");
        assert_ne!(base, fingerprint(&how, "/?atext/", "plain", b"x"));
        assert_ne!(base, fingerprint(&how, "/?a", "text/plainx", b""));
        assert_ne!(base, fingerprint(&how, "/?", "atext/plain", b"x"));
    }

    #[test]
    fn chosen_headers_count() {
        let how = Fingerprinting::new().with_header("x-version");
        let of = |values: &[&str]| {
            let mut request = TestRequest::default();
            for value in values {
                request = request.append_header(("x-version", *value));
            }
            let (request, bytes) = (request.to_http_request(), Bytes::new());
            let view = RequestView::new(&request, &bytes);
            how.fingerprint(&view).now_or_never().unwrap().unwrap()
        };
        assert_ne!(of(&["1"]), of(&["2"]));
        assert_ne!(of(&[]), of(&[""]));
        assert_ne!(of(&["1", "2"]), of(&["1, 2"]));
        assert_eq!(of(&["1"]), of(&["1"]));
    }
}
