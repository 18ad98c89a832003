use std::{fmt, sync::Arc};

/// The statement with which a store in a SQL database records a response in a transaction of the application, so
/// that record and rows commit together. See [`Store::completion`](super::Store::completion).
#[derive(Clone, PartialEq, Eq)]
pub struct CompletionSql {
    text: Arc<str>,
    may_be_prepared: bool,
}

impl CompletionSql {
    /// Returns the statement of a store, from its text, and whether connections can keep it prepared.
    pub fn new(text: impl Into<Arc<str>>, may_be_prepared: bool) -> Self {
        Self {
            text: text.into(),
            may_be_prepared,
        }
    }

    /// Returns the text, with a numbered place for each value.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether a connection can keep it prepared; behind some poolers it must not.
    pub fn may_be_prepared(&self) -> bool {
        self.may_be_prepared
    }
}

/// The statement has no content of anybody: only the name of a table.
impl fmt::Debug for CompletionSql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompletionSql(..)")
    }
}
