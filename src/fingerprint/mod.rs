//! Fingerprints of requests, and the canonical forms behind them.

pub(crate) mod canonical;

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256 digest that tells whether two requests are the same.
///
/// ```
/// use actix_web_idempotency::Fingerprint;
///
/// let one = Fingerprint::digest(b"a=1");
/// assert_eq!(one, Fingerprint::digest(b"a=1"));
/// assert_ne!(one, Fingerprint::digest(b"a=2"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Wraps a digest that was computed elsewhere.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Returns the SHA-256 of some bytes.
    pub fn digest(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the SHA-256 of a value's canonical JSON text: members sorted by name, no white space, numbers as
    /// they are written.
    ///
    /// ```
    /// use actix_web_idempotency::Fingerprint;
    /// use serde_json::json;
    ///
    /// let canonical = Fingerprint::digest(r#"{"a":[1],"b":"x"}"#);
    /// assert_eq!(Fingerprint::digest_json(&json!({ "b": "x", "a": [1] }))?, canonical);
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the value cannot be written as JSON, for instance a map whose keys are not strings.
    pub fn digest_json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        canonical::digest(value).map(Self)
    }

    /// Returns the 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// As text: the digest as 64 lower-case hexadecimal digits.
impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The digest as 64 lower-case hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = [0; 64];
        let digits = base16ct::lower::encode_str(&self.0, &mut room);
        f.write_str(digits.map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Adds a part to a digest, preceded by its length, so that no two sequences of parts give the same bytes.
pub(crate) fn put(digest: &mut Sha256, part: impl AsRef<[u8]>) {
    let part = part.as_ref();
    digest.update((part.len() as u64).to_be_bytes());
    digest.update(part);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{json, value::RawValue};

    use super::*;

    fn digest(value: &impl Serialize) -> Fingerprint {
        Fingerprint::digest_json(value).unwrap()
    }

    #[test]
    fn maps_structs_and_json_of_equal_value_are_equal() {
        #[derive(Serialize)]
        struct Order {
            b: u8,
            a: i64,
        }
        let map = HashMap::from([("a", 7), ("b", 1)]);
        assert_eq!(digest(&Order { b: 1, a: 7 }), digest(&map));
        assert_eq!(digest(&json!({ "b": 1, "a": 7 })), digest(&map));
    }

    #[test]
    fn numbers_differ_down_to_the_last_digit() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        assert_ne!(
            digest(&raw("123456789012345678901234567890")),
            digest(&raw("123456789012345678901234567891"))
        );
        assert_ne!(digest(&1_u8), digest(&1.0_f64));
        assert_ne!(digest(&1_u8), digest(&"1"));
        assert_eq!(digest(&1_u8), digest(&1_i128));
    }

    #[test]
    fn a_map_without_string_keys_is_an_error() {
        assert!(Fingerprint::digest_json(&HashMap::from([(vec![1], 1)])).is_err());
    }
}
