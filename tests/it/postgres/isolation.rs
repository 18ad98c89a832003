//! Transactions of each isolation level, with a renewal of the claim in their midst and without.

use actix_web::{App, Error, HttpResponse, error::ErrorInternalServerError, web};
use actix_web_idempotency::{Claim, commit::CommitErrorKind};
use actix_web_idempotency_sqlx::{
    Commit,
    sqlx::{AssertSqlSafe, PgTransaction, query},
};

use crate::{
    serve,
    support::{
        keys::{Answer, answer, keys_on},
        postgres::PostgresTable,
        problems::{ProblemKind, assert_refused},
        server::{Server, post},
    },
};

struct Shop(PostgresTable);

impl Shop {
    /// A transaction that has seen the database, and has a row.
    async fn begun(&self, isolation: &str) -> PgTransaction<'static> {
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}");
        let pool = &self.0.pool;
        let mut transaction = pool.begin_with(AssertSqlSafe(begin)).await.unwrap();
        let row = format!("INSERT INTO {}", self.rows());
        let row = query(AssertSqlSafe(row + " VALUES (1)")).execute(&mut *transaction);
        row.await.unwrap();
        transaction
    }

    fn rows(&self) -> String {
        format!("rows_of_{}", self.0.name)
    }

    fn count(&self) -> String {
        PostgresTable::server().query(&format!("SELECT count(*) FROM {}", self.rows()))
    }
}

/// Commits at an isolation level. Asking for a fencing token is what a renewal is.
async fn handler(
    path: web::Path<(String, String)>,
    claim: Claim,
    shop: web::Data<Shop>,
) -> Result<HttpResponse, Error> {
    let (isolation, case) = path.into_inner();
    for attempt in 1..=3 {
        let transaction = shop.begun(&isolation).await;
        if case == "renewed" || (case == "again" && attempt == 1) {
            claim.fencing_token().await?;
        }
        let response = HttpResponse::Created().body(format!("attempt {attempt}"));
        match claim.commit(transaction, response).await {
            Err(err) if err.kind() == CommitErrorKind::RolledBack && case == "again" => {}
            committed => return Ok(committed?),
        }
    }
    Err(ErrorInternalServerError("it is rolled back each time"))
}

async fn shop() -> (web::Data<Shop>, Server) {
    let shop = Shop(PostgresTable::new().await);
    PostgresTable::server().query(&format!("CREATE TABLE {} (n integer)", shop.rows()));
    let keys = keys_on(shop.0.store.clone()).build().unwrap();
    let shop = web::Data::new(shop);
    let data = shop.clone();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .app_data(data.clone())
            .route("/{isolation}/{case}", web::post().to(handler))
    );
    (shop, server)
}

const SNAPSHOTS: [&str; 2] = ["REPEATABLE%20READ", "SERIALIZABLE"];

async fn sent(server: &Server, isolation: &str, case: &str) -> Answer {
    let request = post(server, &format!("/{isolation}/{case}"), "x");
    answer(request.header("idempotency-key", "a-1")).await
}

#[tokio::test]
async fn transaction_commits_at_each_isolation_level() {
    for isolation in ["READ%20COMMITTED", "REPEATABLE%20READ", "SERIALIZABLE"] {
        let (shop, server) = shop().await;
        let told = sent(&server, isolation, "plain").await;
        assert_eq!(told, Answer::executed(201, "attempt 1"), "{isolation}");
        let told = sent(&server, isolation, "plain").await;
        assert_eq!(told, Answer::replayed(201, "attempt 1"), "{isolation}");
        assert_eq!(shop.count(), "1", "{isolation}");
    }
}

#[tokio::test]
async fn renewal_does_not_disturb_a_transaction_at_read_committed() {
    let (shop, server) = shop().await;
    let told = sent(&server, "READ%20COMMITTED", "renewed").await;
    assert_eq!(told, Answer::executed(201, "attempt 1"));
    assert_eq!(shop.count(), "1");
}

#[tokio::test]
async fn renewal_in_a_snapshot_rolls_the_transaction_back_and_the_key_is_free() {
    for isolation in SNAPSHOTS {
        let (shop, server) = shop().await;
        let renewed = post(&server, &format!("/{isolation}/renewed"), "x");
        let renewed = renewed.header("idempotency-key", "a-1");
        assert_refused(renewed, ProblemKind::StoreUnavailable).await;
        assert_eq!(shop.count(), "0", "{isolation}");
        let keys = shop.0.keys();
        assert!(keys.is_empty(), "{isolation}: {keys:?}");
    }
}

#[tokio::test]
async fn serialization_failure_can_be_tried_again_with_the_same_claim() {
    for isolation in SNAPSHOTS {
        let (shop, server) = shop().await;
        let told = sent(&server, isolation, "again").await;
        assert_eq!(told, Answer::executed(201, "attempt 2"), "{isolation}");
        let told = sent(&server, isolation, "again").await;
        assert_eq!(told, Answer::replayed(201, "attempt 2"), "{isolation}");
        assert_eq!(shop.count(), "1", "{isolation}");
    }
}
