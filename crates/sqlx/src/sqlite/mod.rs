mod commit;
mod database;
mod error;
mod row;

use actix_web_idempotency::store::sql::SqlStore;

pub use self::{database::SqliteDatabase, row::SqliteRow};

/// Stores claims and records in SQLite: in a file of its own, or in the application's database.
///
/// Everything that takes a store takes this one. [`SqlStore`] describes its guarantees and costs.
///
/// ```
/// use actix_web_idempotency::{Idempotency, Scope};
/// use actix_web_idempotency_sqlx::SqliteStore;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("keys.db");
/// let store = SqliteStore::open(file);
/// store.migrate().await?;
/// let idempotency = Idempotency::new(store, Scope::header("x-account"))?;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(start()).unwrap();
/// ```
pub type SqliteStore = SqlStore<SqliteDatabase>;
