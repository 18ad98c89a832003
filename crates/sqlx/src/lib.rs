//! Stores for [`actix-web-idempotency`](actix_web_idempotency) in the application's own database, over
//! [sqlx](https://docs.rs/sqlx).
//!
//! ```no_run
//! use actix_web_idempotency::{Idempotency, Scope};
//! use actix_web_idempotency_sqlx::{PgStore, sqlx::PgPool};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = PgPool::connect("postgres://localhost/shop").await?;
//! let store = PgStore::new(pool.clone());
//! store.migrate().await?; // or copy PgStore::SCHEMA into your own migrations
//! let idempotency = Idempotency::new(store, Scope::header("x-account"))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! * `postgres`: `PgStore`, for PostgreSQL 13 and newer.
//! * `sqlite`: `SqliteStore`, for SQLite 3.35 and newer, which is built along.
//!
//! No feature is on by default.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod commit;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../README.md")]
mod readme {}
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::commit::Commit;
#[cfg(feature = "postgres")]
pub use self::postgres::{PgDatabase, PgRow, PgStore};
#[cfg(feature = "sqlite")]
pub use self::sqlite::{SqliteDatabase, SqliteRow, SqliteStore};
pub use sqlx;
