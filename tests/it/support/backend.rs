use actix_web_idempotency::{
    AnyStore, MemoryStore, api_lock::ApiLockBuilder, dedup::Deduplicator,
    dedup::DeduplicatorBuilder, idempotency::IdempotencyBuilder,
};

use super::{keys::keys_on, locks::lock_on, redis::Redis};

/// A store that a test runs on, and the server behind it.
pub(crate) enum Backend {
    Memory(MemoryStore),
    Redis(Redis),
}

impl Backend {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    pub(crate) fn redis() -> Self {
        Self::Redis(Redis::start())
    }

    pub(crate) fn store(&self) -> AnyStore {
        match self {
            Self::Memory(store) => AnyStore::new(store.clone()),
            Self::Redis(redis) => AnyStore::new(redis.store()),
        }
    }

    /// The `Idempotency` of most tests.
    pub(crate) fn keys(&self) -> IdempotencyBuilder {
        keys_on(self.store())
    }

    /// The `ApiLock` of most tests.
    pub(crate) fn lock(&self) -> ApiLockBuilder {
        lock_on(self.store())
    }

    pub(crate) fn deduplicator(&self) -> DeduplicatorBuilder {
        Deduplicator::builder(self.store())
    }

    /// The server, if there is one.
    pub(crate) fn server(&self) -> Option<&Redis> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(redis) => Some(redis),
        }
    }

    /// Asserts that the server has no key any more, if there is a server.
    pub(crate) fn assert_empty(&self) {
        if let Some(redis) = self.server() {
            assert!(redis.keys().is_empty(), "{:?}", redis.keys());
        }
    }
}

/// Makes a test per store of the function of that name below it: `name::memory`, which needs no server,
/// and `name::redis`.
macro_rules! each_store {
    ($name:ident) => {
        mod $name {
            #[tokio::test]
            async fn memory() {
                super::$name(&$crate::support::backend::Backend::memory()).await;
            }

            #[tokio::test]
            async fn redis() {
                super::$name(&$crate::support::backend::Backend::redis()).await;
            }
        }
    };
}
pub(crate) use each_store;
