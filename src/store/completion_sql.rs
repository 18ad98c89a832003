use std::{fmt, sync::Arc};

/// The statement with which a store in a SQL database records a response in a transaction of the application, so
/// that record and rows commit together. See [`Store::completion`](super::Store::completion).
#[derive(Clone, PartialEq, Eq)]
pub struct CompletionSql(Arc<str>);

impl CompletionSql {
    /// Returns the statement of a store, from its text.
    pub fn new(sql: impl Into<Arc<str>>) -> Self {
        Self(sql.into())
    }

    /// Returns the text, with a numbered place for each value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The statement has no content of anybody: only the name of a table.
impl fmt::Debug for CompletionSql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompletionSql(..)")
    }
}
