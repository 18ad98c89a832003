use std::{
    fmt,
    future::{Ready, ready},
};

use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, dev::Payload};
use sfv::{BareItem, Item, Parser};

use super::passed::MissingKey;

/// The idempotency key of a request: 1 to 255 visible ASCII characters, without quotes around them.
///
/// As an extractor it returns the key that [`Idempotency`](crate::Idempotency) works with, for instance to
/// write it into the row that the request creates. If a request may have none, take `Option<IdempotencyKey>`;
/// otherwise a request without a key is refused as
/// [`required`](crate::idempotency::IdempotencyBuilder::required) refuses it: 400 `key-missing`, in the form
/// that the guard's [`Problems`](crate::problem::Problems) give it.
///
/// `Debug` does not show it: a key tells others that it was used.
///
/// ```
/// use actix_web_idempotency::IdempotencyKey;
///
/// let quoted: IdempotencyKey = r#""a-1""#.parse()?;
/// assert_eq!(quoted.as_str(), "a-1");
/// assert_eq!(quoted, "a-1".parse()?);
/// assert!("two words".parse::<IdempotencyKey>().is_err());
/// # Ok::<_, actix_web_idempotency::idempotency::InvalidKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The longest key unless the application allows another length.
pub(crate) const LONGEST: usize = 255;

impl IdempotencyKey {
    /// Returns the key without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a header's value: a String of
    /// [RFC 9651](https://www.rfc-editor.org/rfc/rfc9651#name-strings), or the bare key.
    pub(crate) fn from_header(value: &[u8], longest: usize) -> Result<Self, InvalidKey> {
        if value.first() != Some(&b'"') {
            let text = str::from_utf8(value).map_err(|_| InvalidKey(()))?;
            return Self::from_text(text.to_owned(), longest);
        }
        match Parser::new(value).parse::<Item>() {
            Ok(Item {
                bare_item: BareItem::String(text),
                params,
            }) if params.is_empty() => Self::from_text(text.into(), longest),
            Ok(_) | Err(_) => Err(InvalidKey(())),
        }
    }

    /// Checks a bare key.
    pub(super) fn from_text(text: String, longest: usize) -> Result<Self, InvalidKey> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=longest).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(InvalidKey(()))
    }
}

/// Reads either form of the header, with the usual length.
impl std::str::FromStr for IdempotencyKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::from_header(text.as_bytes(), LONGEST)
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({} bytes)", self.0.len())
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = req.extensions().get::<Self>().cloned();
        ready(key.ok_or_else(|| MissingKey::from_request(req).into()))
    }
}

/// A text that cannot be an idempotency key. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey(());

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an idempotency key has 1 to 255 visible ASCII characters, bare or as one RFC 9651 \
             String",
        )
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: impl AsRef<[u8]>) -> Option<String> {
        let key = IdempotencyKey::from_header(value.as_ref(), LONGEST).ok()?;
        Some(key.as_str().to_owned())
    }

    #[test]
    fn quoted_and_bare_are_the_same_key() {
        assert_eq!(parse("abc"), Some("abc".to_owned()));
        assert_eq!(parse("\"abc\""), Some("abc".to_owned()));
        assert_eq!(parse(r#""a\"b\\c""#), Some(r#"a"b\c"#.to_owned()));
        assert_eq!(parse(r#"a"b\c"#), Some(r#"a"b\c"#.to_owned()));
        assert_eq!(parse("!~,;=*"), Some("!~,;=*".to_owned()));
    }

    #[test]
    fn what_is_not_one_complete_string_is_refused() {
        for bad in [
            "\"",
            "\"abc",
            "\"abc\"x",
            "\"a\";p=1",
            "\"a\";p",
            "\"a\", \"b\"",
            "\"a\\x\"",
            "\"\"",
            "\"a b\"",
            "\"a\tb\"",
            "\"\u{e9}\"",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bare_key_is_visible_ascii_of_bounded_length() {
        for bad in ["", " ", "a b", "a\tb", "a\u{7f}", "\u{e9}"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        assert_eq!(parse(b"a\xff"), None);
        assert!(parse("k".repeat(255)).is_some());
        assert_eq!(parse("k".repeat(256)), None);
        assert!(
            parse(format!("\"{}\"", "k".repeat(255))).is_some(),
            "quotes do not count"
        );
        assert_eq!(parse(format!("\"{}\"", "k".repeat(256))), None);
    }

    #[test]
    fn debug_and_errors_do_not_show_the_key() {
        let key: IdempotencyKey = "secret".parse().unwrap();
        assert_eq!(format!("{key:?}"), "IdempotencyKey(6 bytes)");
        let err = "secret key".parse::<IdempotencyKey>().unwrap_err();
        assert!(!format!("{err} {err:?}").contains("secret"));
    }
}
