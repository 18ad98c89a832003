use std::future::Future;

use actix_web::HttpResponse;
use actix_web_idempotency::{
    Claim,
    commit::{CommitError, Completion},
    dedup::Execution,
};
use sqlx::{AssertSqlSafe, Database, Error, PgTransaction, Postgres};
use sqlx_core::transaction::TransactionManager;

use super::{
    database::query_with,
    error::{code_of, ends_the_connection},
};

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
/// * The transaction is an outermost one. In a nested one the rows could stay without the record.
/// * A claim that is lost by now ends the transaction on the server, whatever becomes of the error.
/// * Effects outside of the transaction (mails, calls to other services) are not covered. Write them down in it, as
///   rows of an outbox, and carry them out afterwards.
pub trait Commit {
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
        transaction: PgTransaction<'_>,
        recorded: Self::Recorded,
    ) -> impl Future<Output = Result<Self::Committed, CommitError>>;
}

impl Commit for Claim {
    type Recorded = HttpResponse;
    type Committed = HttpResponse;

    async fn commit(
        &self,
        transaction: PgTransaction<'_>,
        response: HttpResponse,
    ) -> Result<HttpResponse, CommitError> {
        refuse_nested(&transaction)?;
        let (completion, response) = self.completion(response)?;
        commit(transaction, completion).await?;
        Ok(response)
    }
}

/// Without a claim, because the request has no key, the transaction is committed as it is.
impl Commit for Option<Claim> {
    type Recorded = HttpResponse;
    type Committed = HttpResponse;

    async fn commit(
        &self,
        transaction: PgTransaction<'_>,
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
impl Commit for Execution {
    type Recorded = Vec<u8>;
    type Committed = ();

    async fn commit(
        &self,
        transaction: PgTransaction<'_>,
        result: Vec<u8>,
    ) -> Result<(), CommitError> {
        refuse_nested(&transaction)?;
        commit(transaction, self.completion(result)?).await
    }
}

/// A failed statement in a savepoint is undone alone: the rows would stay, and their record would be missing.
fn refuse_nested(transaction: &PgTransaction<'_>) -> Result<(), CommitError> {
    match <Postgres as Database>::TransactionManager::get_transaction_depth(transaction) {
        1 => Ok(()),
        _ => Err(CommitError::unusable(
            "the transaction is nested in another one; commit the outermost one",
        )),
    }
}

async fn commit(
    mut transaction: PgTransaction<'_>,
    completion: Completion,
) -> Result<(), CommitError> {
    let sql = AssertSqlSafe(completion.sql().to_owned());
    let query = query_with(sql, &completion.values()).persistent(completion.may_be_prepared());
    if let Err(err) = query.fetch_one(&mut *transaction).await {
        // Nothing was committed: COMMIT was not sent. Dropped, the transaction is rolled back.
        return Err(match code_of(&err).as_deref() {
            Some(DIVISION_BY_ZERO) => completion.lost(),
            _ => completion.rolled_back(err),
        });
    }
    match transaction.commit().await {
        Ok(()) => {
            completion.committed();
            Ok(())
        }
        Err(err) => Err(match is_refused(&err) {
            true => completion.rolled_back(err),
            false => completion.in_doubt(err),
        }),
    }
}

/// The code with which the statement fails if it finds no claim.
const DIVISION_BY_ZERO: &str = "22012";

/// Whether the server has refused to commit: a deferred constraint, a serialization failure.
fn is_refused(err: &Error) -> bool {
    code_of(err).is_some_and(|code| !ends_the_connection(&code))
}
