use std::fmt;

/// Proves who owns a claim: 16 random bytes, made before the claim is sent.
///
/// `Debug` does not show it, because the token can free the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnerToken([u8; 16]);

impl OwnerToken {
    /// Returns a new token from the operating system's random source, by way of a thread-local ChaCha
    /// generator.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Returns a token from its bytes, for a store that reads one back.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the bytes as 32 lower-case hexadecimal digits, for a store that stores text.
    pub fn to_hex(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }
}

impl fmt::Debug for OwnerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerToken(..)")
    }
}

/// The identity of a claim, without the right to touch it: for waiting duplicates.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimId(OwnerToken);

impl ClaimId {
    /// Returns the identity of the claim with this token.
    pub const fn new(token: OwnerToken) -> Self {
        Self(token)
    }

    /// Returns whether the claim has this token.
    pub fn is(&self, token: &OwnerToken) -> bool {
        self.0 == *token
    }

    /// For a store of this crate that compares on the server.
    #[allow(
        dead_code,
        reason = "only a store that keeps its claims elsewhere needs it"
    )]
    pub(crate) fn to_hex(self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Debug for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_token() {
        let token = OwnerToken::from_bytes([0xab; 16]);
        let shown = format!("{token:?} {:?}", ClaimId::new(token));
        assert_eq!(shown, "OwnerToken(..) ClaimId(..)");
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(OwnerToken::random(), OwnerToken::random());
    }
}
