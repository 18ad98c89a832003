use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::hex;

/// The name of one claim or record: a prefix chosen by the application, and a digest.
///
/// Only a digest of what clients send ever gets in, so no byte of theirs can.
///
/// ```
/// use actix_idempotency::store::StoreKey;
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
    /// Names an entry. `digest` is expected to be evenly spread, as SHA-256 is.
    pub fn new(prefix: impl Into<Arc<str>>, digest: [u8; 32]) -> Self {
        Self {
            digest,
            prefix: prefix.into(),
        }
    }

    /// What the application put in front.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The 32 bytes that tell the keys of one prefix apart.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The first eight bytes of the digest, as even a hash as any.
    pub(crate) fn short_hash(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.digest;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Eight bytes of a SHA-256 say enough; equality looks at all of them, and at the prefix.
impl Hash for StoreKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.short_hash());
    }
}

/// The prefix and 64 lower-case hexadecimal digits, as the key stands in Redis.
impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)?;
        f.write_str(&hex::text(&self.digest))
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({self})")
    }
}
