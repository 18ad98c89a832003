//! The statement that completes a claim in a transaction of the application.

use actix_web_idempotency::store::{Begin, NewClaim, Store};
use actix_web_idempotency_sqlx::sqlx::{
    AssertSqlSafe, Error, PgConnection, PgTransaction, postgres::PgRow, query,
};

use crate::support::{
    claims::{assert_finished, claim_under, take},
    postgres::PostgresTable,
};

/// Writes a row of the application.
async fn write(table: &PostgresTable, connection: &mut PgConnection) {
    let row = format!("INSERT INTO rows_of_{} VALUES (1)", table.name);
    query(AssertSqlSafe(row)).execute(connection).await.unwrap();
}

fn rows(table: &PostgresTable) -> String {
    PostgresTable::server().query(&format!("SELECT count(*) FROM rows_of_{}", table.name))
}

async fn begun(table: &PostgresTable) -> PgTransaction<'static> {
    let create = format!(
        "CREATE TABLE IF NOT EXISTS rows_of_{} (n integer)",
        table.name
    );
    PostgresTable::server().query(&create);
    let mut transaction = table.pool.begin().await.unwrap();
    write(table, &mut transaction).await;
    transaction
}

async fn complete(
    table: &PostgresTable,
    transaction: &mut PgTransaction<'static>,
    claim: &NewClaim,
) -> Result<PgRow, Error> {
    let commit = table.store.completion().unwrap();
    query(AssertSqlSafe(commit.as_str()))
        .bind(claim.key.to_string())
        .bind(claim.token.as_bytes().as_slice())
        .bind(claim.fingerprint.map(|of| of.as_bytes().to_vec()))
        .bind(201_i64)
        .bind(b"".as_slice())
        .bind(b"paid".as_slice())
        .bind(60_000_i64)
        .fetch_one(&mut **transaction)
        .await
}

#[tokio::test]
async fn completion_commits_with_the_rows() {
    let table = PostgresTable::new().await;
    let claim = claim_under("a:", 1);
    take(&table.store, &claim).await;
    let mut transaction = begun(&table).await;
    complete(&table, &mut transaction, &claim).await.unwrap();
    let met = table.store.begin(&claim_under("a:", 1)).await.unwrap();
    assert!(
        matches!(met, Begin::InFlight { .. }),
        "before the commit: {met:?}"
    );
    transaction.commit().await.unwrap();
    assert_finished(&table.store, &claim).await;
    assert_eq!(rows(&table), "1");
}

#[tokio::test]
async fn completion_of_a_lost_claim_undoes_the_rows_whatever_is_made_of_the_error() {
    let table = PostgresTable::new().await;
    let (other, released, never) = (
        claim_under("a:", 1),
        claim_under("a:", 2),
        claim_under("a:", 3),
    );
    take(&table.store, &other).await;
    take(&table.store, &released).await;
    table.store.release(&released.lease()).await.unwrap();
    let stale = claim_under("a:", 1);
    for lost in [stale, released, never] {
        let mut transaction = begun(&table).await;
        let completed = complete(&table, &mut transaction, &lost).await;
        assert!(completed.is_err());
        // As an application that goes on regardless.
        transaction.commit().await.unwrap();
        assert_eq!(rows(&table), "0");
    }
    let met = table.store.begin(&claim_under("a:", 1)).await.unwrap();
    assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
}
