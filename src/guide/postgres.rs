//! PostgreSQL in production: the table, connections, poolers, isolation, failovers, and how to look at a key.
//!
//! `PgStore`, in the package [`actix-web-idempotency-sqlx`](https://docs.rs/actix-web-idempotency-sqlx), keeps claims
//! and records in a table of your own database. Take it if you run PostgreSQL anyway: there is nothing else to
//! operate, and keys survive what your rows survive. [`SqlStore`](crate::store::sql::SqlStore#faults) lists the faults,
//! and what clients see of each.
//!
//! # Five minutes
//!
//! ```toml
//! actix-web-idempotency = { version = "0.1", default-features = false }
//! actix-web-idempotency-sqlx = { version = "0.1", features = ["postgres"] }
//! ```
//!
//! ```rust,no_run
//! use actix_web_idempotency::{Idempotency, Scope};
//! use actix_web_idempotency_sqlx::{PgStore, sqlx::PgPool};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = PgPool::connect("postgres://localhost/shop").await?;
//! let store = PgStore::new(pool.clone());
//! store.migrate().await?;
//! for finding in store.check().await? {
//!     eprintln!("{finding}"); // what a crash or a failover may forget, and which setting to change
//! }
//! let idempotency = Idempotency::new(store, Scope::header("x-account"))?;
//! # Ok(())
//! # }
//! ```
//!
//! A handler that writes rows commits them together with its response: [exactly once](super::exactly_once).
//!
//! # The table
//!
//! `migrate` makes it where it is missing. If your migrations are files, copy the text of `PgStore::SCHEMA` into
//! one, or of `schema()` for a table of [another name](crate::store::sql::SqlStoreBuilder::table). The user of the
//! pool needs no more than this:
//!
//! ```sql
//! GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO app;
//! ```
//!
//! * **Rows** are about as large as the recorded responses, and stay for the retention. Once a minute, while there
//!   are new claims, the store removes those that are forgotten, a thousand at a time; a forgotten row that is still
//!   there counts as vacant. [`purge`](crate::store::sql::SqlStore::purge) does it at an hour of yours.
//! * **A retention of more than 24 hours** goes into
//!   [`purge_after`](crate::store::sql::SqlStoreBuilder::purge_after) as well, or each record costs one more write.
//! * **Completions are updated in place** (HOT), because they change no indexed column and half of each page is left
//!   free. Do not add indexes on the other columns.
//!
//! # Connections
//!
//! | connections | how many |
//! |---|---|
//! | of the application's pool | one for each statement, for its round trip; none while a handler runs or a duplicate waits |
//! | beside the pool | one, for renewals, waiting duplicates and the purge |
//!
//! A statement waits for a connection for at most the store's
//! [time limit](crate::store::sql::SqlStoreBuilder::timeout), 2 seconds. So a pool of one is enough, and a handler
//! that holds a connection while it runs cannot lock itself out; but a pool that handlers exhaust for longer makes
//! requests fail with 503. Connections are used without the ping that `PgPool::acquire` sends, and without the
//! pool's `before_acquire`. sqlx sends a message of its own when a connection goes back to its pool; no request waits
//! for that.
//!
//! # Writes to disk
//!
//! A first request waits for two commits: that of its claim and that of its record, which is the handler's own with
//! [`commit`](super::exactly_once). Where everything that handlers do is in that transaction, the first one need not be
//! waited for: [`asynchronous_claims`](crate::store::sql::SqlStoreBuilder::asynchronous_claims).
//!
//! # Poolers
//!
//! PgBouncer in session mode, and in transaction mode from 1.21 on with `max_prepared_statements`, needs no setting.
//! Older ones in transaction mode, and poolers like them, mix up prepared statements:
//!
//! ```
//! use actix_web_idempotency_sqlx::{PgDatabase, PgStore, sqlx::PgPool};
//!
//! fn store(pool: PgPool) -> PgStore {
//!     PgStore::new(PgDatabase::new(pool).transaction_pooler(true))
//! }
//! ```
//!
//! Each statement then takes four round trips instead of one. Tested with PgBouncer 1.18.
//!
//! # Locks and isolation
//!
//! No statement of the store waits for a row that a transaction has locked: a renewal skips it, a release is tried
//! again in the background, and a duplicate is told that the request is in flight. The store works at every
//! isolation level that your connections have by default. A table that is locked as a whole, as by `ALTER TABLE`, is an
//! outage for as long as that takes.
//!
//! # Failovers
//!
//! A connection that has become read-only, or whose server stops, is closed, and the statement sent again on another
//! one. With asynchronous replication the new primary lacks the last moments, of the keys as of your rows; with
//! `synchronous_standby_names` nothing that was confirmed is lost. Connect to the primary only: with several hosts,
//! `target_session_attrs=read-write`.
//!
//! # Clocks
//!
//! Leases, retention and fencing tokens are by the server's clock; the clocks of the application's hosts do not
//! matter.
//!
//! # Looking at a key
//!
//! ```sql
//! SELECT left(key, 30) AS key, attempt, status, octet_length(body) AS size,
//!        CASE WHEN forgotten_at <= now() THEN 'vacant'
//!             WHEN status IS NOT NULL THEN 'finished'
//!             WHEN expires_at <= now() THEN 'expired'
//!             ELSE 'claimed' END AS state,
//!        forgotten_at
//! FROM idempotency_keys ORDER BY forgotten_at DESC LIMIT 20;
//! ```
//!
//! `DELETE FROM idempotency_keys WHERE key = '..'` makes a key vacant; the next request runs, and the owner of a claim,
//! if there is one, loses it. [`Inspect`](crate::store::Inspect) does the same from a program.
