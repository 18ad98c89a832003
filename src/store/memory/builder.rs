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

    /// How many bytes of recorded headers and bodies are kept. Beyond that the oldest answers
    /// become tombstones: their key stays known, their content is gone. Where that is not enough, they
    /// forget their `Location` too.
    ///
    /// Default: 256 MiB, a day of small answers at a few per second.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many claims and records are kept. A full store refuses new claims rather than forget
    /// a key before its time, for then its operation would run twice. Of a large one, of 65,536
    /// places or more, up to a hundredth may be unused by then.
    ///
    /// Default: 1,000,000. A claim takes some 200 bytes, a record some 350 besides its content.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// When no entry would be allowed.
    pub fn build(self) -> Result<MemoryStore, ConfigError> {
        if self.max_entries == 0 {
            return Err(ConfigError::new(
                "max_entries is 0, so every claim would be refused: allow at least 1",
            ));
        }
        Ok(MemoryStore::with_bounds(self.max_bytes, self.max_entries))
    }
}
