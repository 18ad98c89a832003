//! SQLite in production: one file, its writers, what it survives, and its faults.
//!
//! `SqliteStore`, in the package [`actix-web-idempotency-sqlx`](https://docs.rs/actix-web-idempotency-sqlx), keeps claims
//! and records in a file. Take it on one machine: there is nothing to install or to operate, and unlike
//! [`MemoryStore`](crate::MemoryStore) it forgets nothing when the process ends. Several processes may share the file,
//! not several machines: on a network file system SQLite's locks do not work.
//!
//! # Five minutes
//!
//! ```toml
//! actix-web-idempotency = { version = "0.1", default-features = false }
//! actix-web-idempotency-sqlx = { version = "0.1", features = ["sqlite"] }
//! ```
//!
//! ```rust,no_run
//! use actix_web_idempotency::{Idempotency, Scope};
//! use actix_web_idempotency_sqlx::SqliteStore;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("keys.db"); // made where it is missing
//! store.migrate().await?;
//! let idempotency = Idempotency::new(store, Scope::header("x-account"))?;
//! # Ok(())
//! # }
//! ```
//!
//! If the application has its rows in SQLite, keep the keys in the same file: `SqliteStore::new(pool)`, and let handlers
//! [commit both together](super::exactly_once):
//!
//! ```
//! use actix_web::{HttpResponse, Result, error::ErrorInternalServerError, web};
//! use actix_web_idempotency::Claim;
//! use actix_web_idempotency_sqlx::{Commit, sqlx::{self, SqlitePool}};
//!
//! async fn pay(claim: Claim, pool: web::Data<SqlitePool>) -> Result<HttpResponse> {
//!     let tx = pool.begin_with("BEGIN IMMEDIATE").await; // its turn to write begins here
//!     let mut tx = tx.map_err(ErrorInternalServerError)?;
//!     sqlx::query("INSERT INTO payments (amount) VALUES (5)")
//!         .execute(&mut *tx)
//!         .await
//!         .map_err(ErrorInternalServerError)?;
//!     Ok(claim.commit(tx, HttpResponse::Created().finish()).await?) // row and response, or neither
//! }
//! ```
//!
//! `examples/payments_sqlite` in the repository is a whole server like that. Its tests kill it while it pays, and kill
//! a process after each of its statements.
//!
//! # One writer
//!
//! SQLite has one writer at a time. A transaction that writes, from `BEGIN IMMEDIATE` to its end, stops every other one,
//! and with them new claims, completions, renewals and locks. Replays and refusals only read, and go on.
//!
//! * A claim waits for its turn for at most the store's
//!   [time limit](crate::store::sql::SqlStoreBuilder::timeout), 2 seconds; then it fails with 503, and has not been made.
//! * A transaction that is longer than two thirds of the [lease](crate::idempotency::IdempotencyBuilder::lease), 20
//!   seconds by default, keeps the leases of all other handlers from being renewed. Keep transactions short, and call
//!   nobody in them.
//! * Begin them with `BEGIN IMMEDIATE`. One that reads first and then writes is refused if somebody else has written in
//!   between; the commit then fails with 503, and the key is free.
//! * Give the connections of your own pool a `busy_timeout` below the store's time limit, such as 500 ms. sqlx's
//!   default of 5 seconds is longer: a claim that is given up meanwhile is still made, and undone afterwards.
//!
//! # Durability
//!
//! `SqliteStore::open` writes ahead (`journal_mode=WAL`) and waits for the disk (`synchronous=FULL`): a crash of the
//! process or the machine, or a power failure, forgets nothing that was confirmed. For a pool of your own,
//! [`check`](crate::store::sql::SqlStore::check) says which settings to change.
//!
//! A first request is two writes to the disk, one of which is the handler's own with a commit. On the virtual disk of a
//! machine with two cores of an AMD EPYC, one for the server (2026-11-30; `tools/load/run --rows SQLite` with 64
//! connections, and `--rows "8 connections"` for the last two columns):
//!
//! | store | first runs per second | replays per second | first run: median | 99 of 100 |
//! |---|--:|--:|--:|--:|
//! | SQLite | 1,150 | 10,900 | 6.8 ms | 10.6 ms |
//! | the same statements by hand, on one connection | 680 | 11,000 | 12.3 ms | 16.8 ms |
//! | memory | 43,500 | 62,700 | 0.18 ms | 0.82 ms |
//!
//! # The clock
//!
//! Leases, retention and fencing tokens are by the clock of the machine. Let it be slewed, not stepped.
//!
//! # Faults
//!
#![doc = include_str!("../store/sql/faults_of_sqlite.md")]
//!
//! And without load, from `tests/it/sqlite/errors.rs`:
//!
//! | fault | what happens |
//! |---|---|
//! | the disk is full | new keys get 503, "the disk is full"; replays go on; claims work again when there is room |
//! | the file or its folder is read-only | new keys get 503; replays go on |
//! | the file is damaged, or no database | 503, "file is not a database": restore it from a backup |
//! | the file is removed while it is open | claims that are held stay with their owners as long as connections are open; new connections find an empty file, and fail until `migrate` is called |
//! | the process is killed | keys of handlers that ran are claimed for one lease; everything confirmed is there |
//!
//! # Looking at a key
//!
//! ```sql
//! SELECT substr(key, 1, 30) AS key, attempt, status, length(body) AS size,
//!        CASE WHEN forgotten_at <= unixepoch() * 1000000 THEN 'vacant'
//!             WHEN status IS NOT NULL THEN 'finished'
//!             WHEN expires_at <= unixepoch() * 1000000 THEN 'expired'
//!             ELSE 'claimed' END AS state,
//!        datetime(forgotten_at / 1000000, 'unixepoch') AS forgotten
//! FROM idempotency_keys ORDER BY forgotten_at DESC LIMIT 20;
//! ```
//!
//! Rows whose keys are forgotten are removed once a minute while there are new claims. The file does not become
//! smaller by that; SQLite uses the room again.
