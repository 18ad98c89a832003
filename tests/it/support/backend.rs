use actix_web_idempotency::{
    AnyStore, MemoryStore, api_lock::ApiLockBuilder, dedup::Deduplicator,
    dedup::DeduplicatorBuilder, idempotency::IdempotencyBuilder,
};

use super::{
    keys::keys_on, locks::lock_on, postgres::PostgresTable, redis::Redis, sqlite::SqliteFile,
};

/// A store that a test runs on, and the server behind it.
pub(crate) enum Backend {
    Memory(MemoryStore),
    Redis(Redis),
    Postgres(PostgresTable),
    Sqlite(SqliteFile),
}

impl Backend {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    pub(crate) fn redis() -> Self {
        Self::Redis(Redis::start())
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(PostgresTable::new().await)
    }

    pub(crate) async fn sqlite() -> Self {
        Self::Sqlite(SqliteFile::new().await)
    }

    pub(crate) fn store(&self) -> AnyStore {
        match self {
            Self::Memory(store) => AnyStore::new(store.clone()),
            Self::Redis(redis) => AnyStore::new(redis.store()),
            Self::Postgres(table) => AnyStore::new(table.store.clone()),
            Self::Sqlite(file) => AnyStore::new(file.store.clone()),
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

    /// The server, if it is Redis.
    pub(crate) fn redis_server(&self) -> Option<&Redis> {
        match self {
            Self::Redis(redis) => Some(redis),
            Self::Memory(_) | Self::Postgres(_) | Self::Sqlite(_) => None,
        }
    }

    /// Asserts that the server has no key any more, if there is a server.
    pub(crate) async fn assert_empty(&self) {
        let keys = match self {
            Self::Memory(_) => return,
            Self::Sqlite(file) => {
                let keys = file.number("SELECT count(*) FROM idempotency_keys").await;
                return assert_eq!(keys, 0);
            }
            Self::Redis(redis) => redis.keys(),
            Self::Postgres(table) => table.keys(),
        };
        assert!(keys.is_empty(), "{keys:?}");
    }
}

/// Makes a test per store of the function of that name below it: `name::memory`, which needs no server,
/// and neither does `name::sqlite`, `name::redis` and `name::postgres`.
macro_rules! each_store {
    ($name:ident) => {
        mod $name {
            #[tokio::test]
            async fn memory() {
                super::$name(&$crate::support::backend::Backend::memory()).await;
            }

            #[tokio::test]
            async fn sqlite() {
                super::$name(&$crate::support::backend::Backend::sqlite().await).await;
            }

            #[tokio::test]
            async fn redis() {
                super::$name(&$crate::support::backend::Backend::redis()).await;
            }

            #[tokio::test]
            async fn postgres() {
                super::$name(&$crate::support::backend::Backend::postgres().await).await;
            }
        }
    };
}
pub(crate) use each_store;
