mod commit;
mod database;
mod error;
mod row;

use actix_web_idempotency::store::sql::SqlStore;

pub use self::{database::PgDatabase, row::PgRow};

/// Stores claims and records in PostgreSQL, by the pool of the application.
///
/// Everything that takes a store takes this one. [`SqlStore`] describes its guarantees and costs.
///
/// ```no_run
/// use std::time::Duration;
///
/// use actix_web_idempotency_sqlx::PgStore;
/// use sqlx::PgPool;
///
/// # async fn start(pool: PgPool) -> Result<(), Box<dyn std::error::Error>> {
/// let store = PgStore::builder(pool)
///     .table("app.idempotency_keys")
///     .timeout(Duration::from_secs(1))
///     .build()?;
/// for finding in store.check().await? {
///     println!("{finding}");
/// }
/// # Ok(())
/// # }
/// ```
pub type PgStore = SqlStore<PgDatabase>;
