use std::fmt;

use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use serde::{Serialize, Serializer};

use crate::{
    fingerprint::{Fingerprint, canonical},
    middleware::media_type::{is_json, media_type},
};

/// A JSON body larger than this counts by its bytes: canonicalising 1 MiB would keep the worker's only thread
/// busy for 12 ms.
const MOST_CANONICAL: usize = 64 * 1024;

/// A request body for a payload: two bodies serialise alike if they are equal.
///
/// | body | serialises as |
/// |---|---|
/// | none | `null` |
/// | `application/json` or `+json`, at most 64 KiB, valid, not compressed | its canonical JSON text, as a string: member order and white space do not matter, every digit does |
/// | other UTF-8 text of at most 64 KiB | the string `text:` and the text |
/// | anything else | the string `sha256:` and the digest of its bytes |
///
/// It borrows from the request, so a payload cannot hold it: put it into `json!`, or take
/// [`Fingerprint::digest`] of [`RequestView::bytes`](crate::RequestView::bytes).
///
/// It is always a string, never a nested JSON value: a `serde_json::Value` would turn
/// `12345678901234567890123` into a float and lose digits.
#[derive(Clone, Copy)]
pub struct RequestBody<'a> {
    bytes: &'a Bytes,
    json: bool,
}

impl<'a> RequestBody<'a> {
    pub(crate) fn new(bytes: &'a Bytes, headers: &HeaderMap) -> Self {
        Self {
            bytes,
            json: is_json(&media_type(headers)),
        }
    }
}

impl Serialize for RequestBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.bytes.is_empty() {
            return serializer.serialize_none();
        }
        if self.bytes.len() <= MOST_CANONICAL {
            let canonical = self.json.then(|| canonical::json(self.bytes));
            if let Some(text) = canonical.flatten() {
                return serializer.serialize_str(&text);
            }
            if let Ok(text) = str::from_utf8(self.bytes) {
                return serializer.collect_str(&format_args!("text:{text}"));
            }
        }
        let digest = Fingerprint::digest(self.bytes);
        serializer.collect_str(&format_args!("sha256:{digest}"))
    }
}

/// The size, never the content.
impl fmt::Debug for RequestBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestBody({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn written(content_type: &'static str, body: impl Into<Bytes>) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let bytes = body.into();
        let value = serde_json::to_value(RequestBody::new(&bytes, &headers)).unwrap();
        value.as_str().unwrap_or("null").to_owned()
    }

    #[test]
    fn json_is_its_canonical_text_even_through_a_value() {
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/a+json",
        ] {
            assert_eq!(
                written(kind, r#"{"b": 12345678901234567890123, "a": 1.0}"#),
                r#"{"a":1.0,"b":12345678901234567890123}"#,
            );
        }
    }

    #[test]
    fn what_is_not_json_is_text_or_a_digest() {
        assert_eq!(written("text/plain", r#"{"a":1}"#), r#"text:{"a":1}"#);
        assert_eq!(written("application/json", r#"{"a":"#), r#"text:{"a":"#);
        assert_eq!(written("application/jsonp", "1"), "text:1");
        assert_eq!(
            written("application/json", vec![0xff]),
            "sha256:a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"
        );
        let large = format!("[{}1]", "1,".repeat(MOST_CANONICAL));
        assert!(written("application/json", large).starts_with("sha256:"));
    }

    #[test]
    fn only_a_missing_body_is_null() {
        assert_eq!(written("application/json", ""), "null");
        assert_eq!(written("application/json", "null"), "null");
        let null = Bytes::from_static(b"null");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let value = serde_json::to_value(RequestBody::new(&null, &headers)).unwrap();
        assert!(value.is_string(), "a body that says null exists");
    }

    #[test]
    fn debug_shows_no_content() {
        let bytes = Bytes::from_static(b"secret");
        let shown = format!("{:?}", RequestBody::new(&bytes, &HeaderMap::new()));
        assert_eq!(shown, "RequestBody(6 bytes)");
    }
}
