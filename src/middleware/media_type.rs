//! The media type of a request.

use std::borrow::Cow;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};

/// The media type of `Content-Type`: what comes before the first `;`, its case folded. Empty when
/// there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> Cow<'_, [u8]> {
    let value = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let mut parts = value.unwrap_or_default().split(|byte| *byte == b';');
    let media_type = parts.next().unwrap_or_default().trim_ascii();
    match media_type.iter().any(u8::is_ascii_uppercase) {
        true => Cow::Owned(media_type.to_ascii_lowercase()),
        false => Cow::Borrowed(media_type),
    }
}

/// Returns whether a body of this media type is JSON.
pub(crate) fn is_json(media_type: &[u8]) -> bool {
    media_type == b"application/json" || media_type.ends_with(b"+json")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn says_json(content_type: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(content_type).unwrap());
        is_json(&media_type(&headers))
    }

    #[test]
    fn json_is_recognised_by_the_media_type_alone() {
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            " application/json ;x=\"+xml\"",
            "application/problem+JSON",
        ] {
            assert!(says_json(kind.as_bytes()), "{kind}");
        }
        // A parameter that is not UTF-8 says nothing of the media type.
        assert!(says_json(b"application/json; name=\xff"));
        for kind in ["", "text/json", "application/jsonp", "text/plain; a=b+json"] {
            assert!(!says_json(kind.as_bytes()), "{kind}");
        }
        assert!(!is_json(&media_type(&HeaderMap::new())));
    }
}
