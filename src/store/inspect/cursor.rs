use std::fmt;

/// How far a walk over a store has come.
///
/// Its text can be handed to somebody else, who goes on with it later. What it says is the store's
/// own business, and it means nothing to another store.
///
/// ```
/// use actix_idempotency::store::Cursor;
///
/// let cursor = Cursor::new("17");
/// assert_eq!(Cursor::new(cursor.to_string()), cursor);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Where every walk begins.
    pub fn start() -> Self {
        Self(String::new())
    }

    /// A cursor from its text: for a store, and for one that comes back from a client.
    /// An empty text is the [`start`](Self::start).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether a walk begins here.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
