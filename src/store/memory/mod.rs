//! The embedded store: sharded mutex maps, and a walk over each of them now and then.

mod builder;
mod entry;
mod entry_quota;
mod filling;
mod inspect;
mod neighbours;
mod purge;
mod shard;
mod store;
mod table;
pub(crate) mod transitions;
mod usage;

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use self::table::Table;
pub use self::{builder::MemoryStoreBuilder, usage::MemoryUsage};

const DEFAULT_MAX_BYTES: usize = 256 * 1024 * 1024;
const DEFAULT_MAX_ENTRIES: usize = 1_000_000;

/// Stores claims and records in this process.
///
/// Clones share the data, so build it once, outside of the closure that `HttpServer::new` calls
/// for each worker, and clone it in:
///
/// ```
/// use actix_web::{App, HttpServer};
/// use actix_web_idempotency::{ApiLock, MemoryStore};
///
/// let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
/// let server = HttpServer::new(move || App::new().wrap(lock.clone()));
/// # drop(server);
/// ```
///
/// * **Survives:** nothing. A restart forgets every key; a second process knows none of them.
/// * **Bounds:** 256 MiB of recorded headers and bodies and a million entries by default, see
///   [`builder`](Self::builder). Nothing is forgotten before its time.
/// * **Clock:** the process' monotonic clock, which is tokio's: in a test `tokio::time::pause` and `advance`
///   reach leases and retentions. Fencing tokens count from the time of day at the start, so that they grow
///   from one process to the next. Expired entries are removed once a second.
/// * **Cost:** a mutex that is held for a map operation.
#[derive(Clone)]
pub struct MemoryStore(Arc<Table>);

impl MemoryStore {
    /// Returns a store with the default bounds.
    pub fn new() -> Self {
        Self::with_bounds(DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES)
    }

    /// Returns a builder for a store with other bounds.
    ///
    /// ```
    /// use actix_web_idempotency::MemoryStore;
    ///
    /// let store = MemoryStore::builder().max_bytes(16 * 1024 * 1024).build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    /// Returns how full the store is. Locks each of its 256 parts for an instant.
    ///
    /// With the feature `metrics`, `metrics::memory_store` sets gauges to it. The store logs a warning when it
    /// is 80 % and 95 % full of entries, and reports an [incident](crate::event::IncidentKind::StoreFilling).
    ///
    /// ```
    /// use actix_web_idempotency::MemoryStore;
    ///
    /// let usage = MemoryStore::new().usage();
    /// assert_eq!((usage.entries, usage.max_entries), (0, 1_000_000));
    /// ```
    pub fn usage(&self) -> MemoryUsage {
        self.0.usage()
    }

    /// The same for as long as the store lives, without keeping it alive.
    #[cfg(feature = "metrics")]
    pub(crate) fn usage_while_it_lives(&self) -> impl Fn() -> Option<MemoryUsage> + Send + 'static {
        let table = Arc::downgrade(&self.0);
        move || Some(table.upgrade()?.usage())
    }

    fn with_bounds(max_bytes: usize, max_entries: usize) -> Self {
        Self(Arc::new(Table::new(max_bytes, max_entries)))
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("entries", &self.0.len())
            .field("bytes", &self.0.bytes.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
