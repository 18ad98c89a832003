use std::{fmt, sync::Arc};

/// The statement with which a store in a SQL database records a response in a transaction of the application, so
/// that record and rows commit together. See [`Store::completion`](super::Store::completion).
#[derive(Clone, PartialEq, Eq)]
pub struct CompletionSql {
    text: Arc<str>,
    may_be_prepared: bool,
    /// Whether its last value is the time of this machine.
    asks_for_time: bool,
}

impl CompletionSql {
    /// Returns the statement of a store, from its text, and whether connections can keep it prepared.
    pub fn new(text: impl Into<Arc<str>>, may_be_prepared: bool) -> Self {
        Self {
            text: text.into(),
            may_be_prepared,
            asks_for_time: false,
        }
    }

    /// Lets it have the time of this machine as its last value.
    #[cfg(feature = "sql")]
    pub(crate) fn with_time(mut self, asks_for_time: bool) -> Self {
        self.asks_for_time = asks_for_time;
        self
    }

    #[cfg(feature = "sql")]
    pub(crate) fn asks_for_time(&self) -> bool {
        self.asks_for_time
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
