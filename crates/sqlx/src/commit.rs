use std::future::Future;

use actix_web::HttpResponse;
use actix_web_idempotency::{
    Claim,
    commit::{CommitError, Completion},
    dedup::Execution,
};
use sqlx::{Database, Error, Transaction};
use sqlx_core::transaction::TransactionManager;

/// Commits a transaction of the application together with the record of its claim: both, or neither.
///
/// ```
/// use actix_web::{HttpResponse, Result, error::ErrorInternalServerError, web};
/// use actix_web_idempotency::Claim;
/// use actix_web_idempotency_sqlx::{Commit, sqlx::{self, PgPool}};
///
/// async fn pay(claim: Claim, pool: web::Data<PgPool>) -> Result<HttpResponse> {
///     let mut tx = pool.begin().await.map_err(ErrorInternalServerError)?;
///     sqlx::query("INSERT INTO payments DEFAULT VALUES")
///         .execute(&mut *tx)
///         .await
///         .map_err(ErrorInternalServerError)?;
///     Ok(claim.commit(tx, HttpResponse::Created().finish()).await?)
/// }
/// ```
///
/// * It is the last thing that happens in the transaction, and sends two statements: the record, and `COMMIT`.
/// * In SQLite it begins with `BEGIN IMMEDIATE`, by `pool.begin_with("BEGIN IMMEDIATE")`: one that reads first may be
///   refused when it writes.
/// * The transaction is an outermost one. In a nested one the rows could stay without the record.
/// * A claim that is lost by now ends the transaction on the server, whatever becomes of the error.
/// * Effects outside of the transaction (mails, calls to other services) are not covered. Write them down in it, as
///   rows of an outbox, and carry them out afterwards.
pub trait Commit<DB: Database> {
    /// The result that is recorded: an [`HttpResponse`] for a claim, bytes for an execution.
    type Recorded;
    /// The outcome of a commit: for a claim the response, which the handler returns.
    type Committed;

    /// Commits the transaction and the record, or neither.
    ///
    /// # Errors
    ///
    /// When the transaction is rolled back, or its outcome is in doubt;
    /// [`CommitError::kind`] says which. As a response it is a 503 that frees the key for a retry.
    fn commit(
        &self,
        transaction: Transaction<'_, DB>,
        recorded: Self::Recorded,
    ) -> impl Future<Output = Result<Self::Committed, CommitError>>;
}

/// What a commit has to know of a driver.
pub trait Driver: Database {
    /// Runs the statement of a completion, which returns one row.
    fn complete(
        connection: &mut Self::Connection,
        completion: &Completion,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Returns whether the statement has failed because it found no claim.
    fn is_lost(err: &Error) -> bool;

    /// Returns whether the database has refused to commit: a deferred constraint, a serialization failure.
    fn is_refused(err: &Error) -> bool;
}

impl<DB: Driver> Commit<DB> for Claim {
    type Recorded = HttpResponse;
    type Committed = HttpResponse;

    async fn commit(
        &self,
        transaction: Transaction<'_, DB>,
        response: HttpResponse,
    ) -> Result<HttpResponse, CommitError> {
        refuse_nested(&transaction)?;
        let (completion, response) = self.completion(response)?;
        commit(transaction, completion).await?;
        Ok(response)
    }
}

/// Without a claim, because the request has no key, the transaction is committed as it is.
impl<DB: Driver> Commit<DB> for Option<Claim> {
    type Recorded = HttpResponse;
    type Committed = HttpResponse;

    async fn commit(
        &self,
        transaction: Transaction<'_, DB>,
        response: HttpResponse,
    ) -> Result<HttpResponse, CommitError> {
        match self {
            Some(claim) => claim.commit(transaction, response).await,
            None => {
                refuse_nested(&transaction)?;
                let committed = transaction.commit().await;
                committed.map_err(CommitError::without_claim)?;
                Ok(response)
            }
        }
    }
}

/// Afterwards the execution is over: drop it.
impl<DB: Driver> Commit<DB> for Execution {
    type Recorded = Vec<u8>;
    type Committed = ();

    async fn commit(
        &self,
        transaction: Transaction<'_, DB>,
        result: Vec<u8>,
    ) -> Result<(), CommitError> {
        refuse_nested(&transaction)?;
        commit(transaction, self.completion(result)?).await
    }
}

/// A failed statement in a savepoint is undone alone: the rows would stay, and their record would be missing.
fn refuse_nested<DB: Database>(transaction: &Transaction<'_, DB>) -> Result<(), CommitError> {
    match DB::TransactionManager::get_transaction_depth(transaction) {
        1 => Ok(()),
        _ => Err(CommitError::unusable(
            "the transaction is nested in another one; commit the outermost one",
        )),
    }
}

async fn commit<DB: Driver>(
    mut transaction: Transaction<'_, DB>,
    completion: Completion,
) -> Result<(), CommitError> {
    if let Err(err) = DB::complete(&mut transaction, &completion).await {
        // Nothing was committed: COMMIT was not sent. Dropped, the transaction is rolled back.
        return Err(match DB::is_lost(&err) {
            true => completion.lost(),
            false => completion.rolled_back(err),
        });
    }
    match transaction.commit().await {
        Ok(()) => {
            completion.committed();
            Ok(())
        }
        Err(err) => Err(match DB::is_refused(&err) {
            true => completion.rolled_back(err),
            false => completion.in_doubt(err),
        }),
    }
}
