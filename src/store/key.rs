use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The digits of a digest.
const DIGITS: usize = 64;

/// The name of one claim or record: a prefix chosen by the application, and a digest.
///
/// It contains only a digest of what clients send, so none of their bytes.
///
/// ```
/// use actix_web_idempotency::store::StoreKey;
///
/// let key = StoreKey::new("orders:", [0xab; 32]);
/// assert_eq!(key.to_string(), format!("orders:{}", "ab".repeat(32)));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreKey {
    digest: [u8; 32],
    prefix: Arc<str>,
}

impl StoreKey {
    /// Returns the key of an entry. `digest` is expected to be evenly spread, as SHA-256 is.
    pub fn new(prefix: impl Into<Arc<str>>, digest: [u8; 32]) -> Self {
        Self {
            digest,
            prefix: prefix.into(),
        }
    }

    /// Parses a key as it is [written](#impl-Display-for-StoreKey); `None` if the last 64 characters are not
    /// lower-case hexadecimal digits.
    ///
    /// ```
    /// use actix_web_idempotency::store::StoreKey;
    ///
    /// let key = StoreKey::new("orders:", [0xab; 32]);
    /// assert_eq!(StoreKey::parse(&key.to_string()), Some(key));
    /// assert_eq!(StoreKey::parse("orders:7"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.split_at_checked(text.len().checked_sub(64)?)?;
        let mut digest = [0; 32];
        base16ct::lower::decode(digits, &mut digest).ok()?;
        Some(Self::new(prefix, digest))
    }

    /// Returns whether the key, as it is [written](#impl-Display-for-StoreKey), begins with this text. The text
    /// may end anywhere: in the key's prefix, behind it, or among the digits.
    pub fn begins_with(&self, text: &str) -> bool {
        match text.strip_prefix(&*self.prefix) {
            Some("") => true,
            Some(digits) => self.digits(&mut [0; DIGITS]).starts_with(digits),
            None => self.prefix.starts_with(text),
        }
    }

    /// Returns the prefix.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the 32 bytes that tell the keys of one prefix apart.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Returns the key as it is [written](#impl-Display-for-StoreKey), in one piece of memory.
    #[allow(
        dead_code,
        reason = "only a store that keeps its claims elsewhere needs it"
    )]
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.prefix.len() + DIGITS);
        text.push_str(&self.prefix);
        text.push_str(self.digits(&mut [0; DIGITS]));
        text
    }

    /// Returns the digest as it is written, in the room that the caller has for it.
    fn digits<'a>(&self, room: &'a mut [u8; DIGITS]) -> &'a str {
        base16ct::lower::encode_str(&self.digest, room).unwrap_or_default()
    }

    /// Returns the first eight bytes of the digest, as even a hash as any.
    pub(crate) fn short_hash(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Eight bytes of a SHA-256 are enough; equality looks at all of them, and at the prefix.
impl Hash for StoreKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.short_hash());
    }
}

/// The prefix and 64 lower-case hexadecimal digits, as in Redis.
impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)?;
        f.write_str(self.digits(&mut [0; DIGITS]))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let digits = "0123456789abcdef".repeat(4);
        for prefix in ["", "orders:", "é*?[]\\:", "abcdef"] {
            let text = format!("{prefix}{digits}");
            let key = StoreKey::parse(&text).unwrap();
            assert_eq!(key.prefix(), prefix);
            assert_eq!(key.to_string(), text);
        }
        let upper = format!("orders:{}", digits.to_uppercase());
        let longer = format!("orders:{digits}g");
        let cut = format!("é{}", &digits[1..]);
        for text in ["", "orders:", &digits[1..], &upper, &longer, &cut] {
            assert_eq!(StoreKey::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_key_begins_with_what_its_text_begins_with() {
        let key = StoreKey::new("orders:", [0xab; 32]);
        let text = key.to_string();
        for end in 0..=text.len() {
            assert!(key.begins_with(&text[..end]), "{}", &text[..end]);
        }
        for other in ["o:", "orders:ac", "orders;", &format!("{text}a")] {
            assert!(!key.begins_with(other), "{other}");
        }
    }
}
