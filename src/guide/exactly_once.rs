//! Exactly once, and what it means: record and rows in one transaction.
//!
//! With most stores the record of a response and your rows are two writes. A crash between them runs the work again, or
//! replays a response whose row a restored backup has undone. A store in your own database closes that gap: the
//! handler commits both in one transaction.
//!
//! > The rows of one run per key are committed within the retention, together with the response that every retry
//! > receives, whatever dies, hangs, fails over or is restored in between. A run whose rows are not committed has left
//! > nothing behind.
//!
//! It promises nothing about effects outside of the transaction: a mail, a card network, another database. Write such an
//! effect down in the transaction, as a row of an outbox, and carry it out afterwards, with an idempotency key of its
//! own.
//!
//! # The handler
//!
//! ```
//! use actix_web::{HttpResponse, Result, error::ErrorInternalServerError, web};
//! use actix_web_idempotency::Claim;
//! use actix_web_idempotency_sqlx::{Commit, sqlx::{self, PgPool}};
//!
//! #[derive(serde::Deserialize)]
//! struct Payment { amount: i64 }
//!
//! async fn pay(
//!     claim: Claim,
//!     pool: web::Data<PgPool>,
//!     payment: web::Json<Payment>,
//! ) -> Result<HttpResponse> {
//!     let mut tx = pool.begin().await.map_err(ErrorInternalServerError)?;
//!     let debited = sqlx::query("UPDATE accounts SET balance = balance - $1 WHERE balance >= $1")
//!         .bind(payment.amount)
//!         .execute(&mut *tx)
//!         .await
//!         .map_err(ErrorInternalServerError)?;
//!     if debited.rows_affected() == 0 {
//!         return Ok(HttpResponse::PaymentRequired().finish()); // tx is dropped: nothing has happened
//!     }
//!     let response = HttpResponse::Created().json(payment.amount);
//!     Ok(claim.commit(tx, response).await?) // rows and response, or neither
//! }
//! ```
//!
//! `examples/payments_postgres` in the repository is that as a whole server, with a mail as a row of an outbox.
//!
//! * In SQLite the transaction begins with `BEGIN IMMEDIATE`: [one writer](super::sqlite#one-writer).
//! * `commit` is the last thing in the transaction. The rest of the handler is not covered.
//! * The response that is committed is the one that retries get, whatever its status, and whatever inner layers or
//!   the handler itself make of it afterwards.
//! * Without a key there is no claim: an `Option<Claim>` commits plainly then. With
//!   [`required(true)`](crate::idempotency::IdempotencyBuilder::required) there always is one.
//! * A handler that succeeds without a commit is reported, because that is the main mistake:
//!   [`IncidentKind::CommitForgotten`](crate::event::IncidentKind::CommitForgotten), and one line in the log.
//! * The transaction must be an outermost one. A nested one, which is a savepoint, is refused before anything is sent.
//! * A [`Deduplicator`](crate::dedup::Deduplicator) has the same for messages: `execution.commit(tx, result)` is an
//!   inbox.
//!
//! # What happens around the commit
//!
//! | case | what happens |
//! |---|---|
//! | the commit succeeds | the response is recorded; the claim is never released, whatever the handler does next |
//! | the claim is lost: it took longer than its lease, and another owner has it | the server ends the transaction; 503 |
//! | the database refuses: a constraint, a serialization failure (40001) | rolled back; the claim can be used again, for another try in the same handler; as a response it is 503 and frees the key |
//! | the connection ends before `COMMIT` is sent | the same |
//! | it ends after that, or the handler is dropped | [in doubt](#in-doubt); 503 |
//! | the guard's store is not in this database | refused before anything is sent; 500, and a line in the log says what to change |
//!
//! The 503 is the problem `store-unavailable` of the guard, with `Retry-After`. `?` on the
//! [`CommitError`](crate::commit::CommitError) is right in each case.
//!
//! A commit that succeeds is counted as the ending `committed`; one that is rolled back, in doubt or forgotten is an
//! [incident](crate::event::IncidentKind). `examples/metrics/grafana` has a panel of these, and alerts for commits in
//! doubt and for forgotten ones.
//!
//! # In doubt
//!
//! If the reply to `COMMIT` is lost, this process cannot know whether it was carried out. Then no response is
//! recorded in another way, and the key is released in the background: if the transaction was committed, the release
//! finds a record and leaves it; if not, the key becomes free. The client has got a 503, and its retry meets the truth.
//! Where [`ExpiredLease::Refuse`](crate::ExpiredLease::Refuse) says that a run that was cut off must not be repeated,
//! and the handler was dropped, nothing is released: the retry finds the record, or `outcome-unknown`.
//!
//! # Moving from the pattern of the book
//!
//! Chapter 10 of [*Zero To Production In Rust*](https://www.zero2prod.com) does the same by hand: `try_processing`
//! inserts a row for the key in a new transaction, the handler does its work in it, and `save_response` puts the
//! response into the row and commits. Both can run side by side: the tables are different.
//!
//! 1. Add the two packages and the guard, as in [five minutes](super::postgres#five-minutes), with
//!    `.required(true)`. What was the user's id in the key is now the [`Scope`](crate::Scope): [a closure that
//!    returns it](crate::Scope::from_fn).
//! 2. If your clients send the key in the form, as the book's do, take it from there:
//!    [`KeySource`](crate::KeySource), [forms](super::recipes::forms).
//! 3. In each handler, replace the three steps:
//!
//!    ```text
//!    // before
//!    let mut tx = match try_processing(&pool, &key, user_id).await? {
//!        NextAction::StartProcessing(tx) => tx,
//!        NextAction::ReturnSavedResponse(response) => return Ok(response),
//!    };
//!    insert_newsletter_issue(&mut tx, &form).await?;
//!    let response = save_response(tx, &key, user_id, response).await?;
//!    Ok(response)
//!
//!    // after
//!    let mut tx = pool.begin().await?;
//!    insert_newsletter_issue(&mut tx, &form).await?;
//!    Ok(claim.commit(tx, response).await?)
//!    ```
//! 4. Deploy. A retry whose original request was served before the deployment has its record in the old table only: for
//!    as long as clients retry, look there first, before the transaction begins, and return what it has.
//! 5. Then drop the old table, the worker that purges it, and `IdempotencyKey` of your own.
//!
//! What changes for clients: a duplicate in flight gets 409 `in-flight` at once instead of waiting, unless you choose
//! [`InFlight::Wait`](crate::InFlight); a key with another body gets 422; and replays carry `Idempotent-Replayed`. For
//! the database: the transaction begins when the handler begins it, a waiting duplicate holds no connection (the
//! book's holds one and needs another, so a pool of one locks itself out), and a first request takes as many
//! round trips as before, 4 and those of its own statements, in two commits instead of one. A crash leaves the key
//! claimed for one lease, where the book's rolls it back with the transaction.
//!
//! # Time
//!
//! A handler that waits for the database without limit keeps its key claimed for
//! [`renew_for`](crate::idempotency::IdempotencyBuilder::renew_for), 10 minutes: set `statement_timeout` for the
//! connections of your pool, or wrap the transaction in a time limit. A process that is suspended in a transaction keeps
//! its rows locked until PostgreSQL ends its session: set `idle_in_transaction_session_timeout`, as the example does.
//!
//! # Isolation
//!
//! At `READ COMMITTED`, PostgreSQL's default, renewals do not disturb a transaction. At `REPEATABLE READ` and above, a
//! renewal of the claim during the transaction makes the commit fail with 40001; the claim is renewed for the first
//! time after a third of its lease, 10 seconds by default. Use transactions that are shorter than that, or a longer
//! [`lease`](crate::idempotency::IdempotencyBuilder::lease).
//!
//! # Other drivers
//!
//! [`commit`](crate::commit) has the statement and its values; whichever driver sends them tells the outcome to a
//! [`Completion`](crate::commit::Completion). `tests/it/postgres/tokio_postgres.rs` in the repository is that for
//! tokio-postgres with a pool of deadpool, in 30 lines.
//!
//! # Failing open
//!
//! With [`StoreFailure::FailOpen`](crate::StoreFailure::FailOpen) a request runs without a claim while the store cannot
//! be asked, and two of them commit their rows twice. `build` logs a warning.
