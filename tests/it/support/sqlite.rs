//! A SQLite database in a file of a test's own.

use std::path::PathBuf;

use actix_web_idempotency_sqlx::{
    SqliteDatabase, SqliteStore,
    sqlx::{AssertSqlSafe, query_scalar, sqlite::SqlitePool},
};
use tempfile::TempDir;

use super::GENEROUS;

/// A file, and a store in it. The file is gone when this is dropped.
pub(crate) struct SqliteFile {
    pub(crate) store: SqliteStore,
    dir: TempDir,
}

impl SqliteFile {
    pub(crate) async fn new() -> Self {
        let dir = in_memory().unwrap_or_else(|| TempDir::with_prefix("idempotency-").unwrap());
        let store = store_in(dir.path().join("keys.db"));
        store.migrate().await.unwrap();
        Self { store, dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("keys.db")
    }

    /// Another store in the same file, as another process has one.
    pub(crate) fn another_store(&self) -> SqliteStore {
        store_in(self.path())
    }

    /// Where an application finds it.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    /// Runs one statement by another connection and returns its number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let pool = SqlitePool::connect_lazy(&self.url()).unwrap();
        let number = query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&pool);
        let number = number.await.unwrap();
        pool.close().await;
        number
    }
}

/// A folder in memory, where there is one: the store waits for its disk, and that of a machine that runs all tests
/// at once may take seconds.
fn in_memory() -> Option<TempDir> {
    TempDir::with_prefix_in("idempotency-", "/dev/shm").ok()
}

fn store_in(path: PathBuf) -> SqliteStore {
    let store = SqliteStore::builder(SqliteDatabase::open(path));
    store.timeout(GENEROUS).build().unwrap()
}
