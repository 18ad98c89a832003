/// The usage of a [`MemoryStore`](crate::MemoryStore) and its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// Claims and records, expired ones included until they are removed, within a second or so.
    pub entries: usize,
    /// The most entries. A store that has as many refuses new claims.
    pub max_entries: usize,
    /// Bytes of recorded headers and bodies.
    pub bytes: usize,
    /// The most bytes. Beyond that the oldest bodies are dropped, and their keys stay known.
    pub max_bytes: usize,
}
