use super::{DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES, MemoryStore};
use crate::config::ConfigError;

/// Settings of a [`MemoryStore`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct MemoryStoreBuilder {
    max_bytes: usize,
    max_entries: usize,
}

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            max_bytes: DEFAULT_MAX_BYTES,
            max_entries: DEFAULT_MAX_ENTRIES,
        }
    }

    /// Sets how many bytes of recorded headers and bodies are kept. Beyond that the oldest responses become
    /// tombstones: their key stays known, headers and body are dropped. If that is not enough, their `Location`
    /// is dropped too.
    ///
    /// Defaults to 256 MiB, a day of small responses at a few per second.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how many claims and records are kept. A full store refuses new claims rather than forget a key
    /// before its time, because its operation would then run twice. A store of 65,536 entries or more may
    /// refuse when up to a hundredth is unused.
    ///
    /// Defaults to 1,000,000. A claim takes some 200 bytes, a record some 350 besides its content.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// When `max_entries` is 0.
    pub fn build(self) -> Result<MemoryStore, ConfigError> {
        if self.max_entries == 0 {
            return Err(ConfigError::new(
                "max_entries must be at least 1 (got 0), or every claim would be refused",
            ));
        }
        Ok(MemoryStore::with_bounds(self.max_bytes, self.max_entries))
    }
}
