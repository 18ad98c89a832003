//! What handlers do with their claim and their transaction, and what becomes of both.

use std::time::Duration;

use actix_web::{
    App, Error, HttpResponse,
    error::{ErrorConflict, ErrorInternalServerError},
    web,
};
use actix_web_idempotency::{
    Claim, ExpiredLease, Idempotency, MemoryStore, StoreFailure,
    commit::CommitErrorKind,
    dedup::{DedupOutcome, Deduplicator, ExecutionOutcome, FinishOutcome},
    event::{Ending, IncidentKind},
    store::{Cursor, Inspect, NewClaim, Store, StoreKey},
};
use actix_web_idempotency_sqlx::{
    Commit, PgStore,
    sqlx::{AssertSqlSafe, PgPool, PgTransaction, query},
};
use tokio::time::{sleep, timeout};

use crate::{
    serve,
    support::{
        backend::Backend,
        detour::Detour,
        ear::Ear,
        keys::{Answer, answer, keys_on, pay},
        log,
        postgres::{Postgres, PostgresTable},
        problems::{ProblemKind, assert_refused},
        server::{Server, post},
    },
};

/// What the handler works with.
#[derive(Clone)]
struct Shop {
    pool: PgPool,
    store: PgStore,
    rows: String,
}

impl Shop {
    fn on(table: &PostgresTable) -> Self {
        let rows = format!("rows_of_{}", table.name);
        let unique = "n integer UNIQUE DEFERRABLE INITIALLY DEFERRED";
        PostgresTable::server().query(&format!("CREATE TABLE {rows} ({unique})"));
        Self {
            pool: table.pool.clone(),
            store: table.store.clone(),
            rows,
        }
    }

    /// A transaction with a row of the application.
    async fn begun(&self, row: i32) -> PgTransaction<'static> {
        let mut transaction = self.pool.begin().await.unwrap();
        let insert = format!("INSERT INTO {} VALUES ({row})", self.rows);
        let insert = query(AssertSqlSafe(insert)).execute(&mut *transaction);
        insert.await.unwrap();
        transaction
    }

    /// The only key that is claimed.
    async fn the_key(&self) -> StoreKey {
        let most = 10.try_into().unwrap();
        let page = self.store.list("", &Cursor::start(), most).await.unwrap();
        page.entries[0].0.clone()
    }

    /// How many rows are committed.
    fn rows(&self) -> String {
        PostgresTable::server().query(&format!("SELECT count(*) FROM {}", self.rows))
    }
}

/// What a handler does, by the path of the request.
async fn handler(
    case: web::Path<String>,
    claim: Option<Claim>,
    shop: web::Data<Shop>,
) -> Result<HttpResponse, Error> {
    let transaction = shop.begun(1).await;
    let paid = || HttpResponse::Created().body("paid");
    match case.as_str() {
        "pay" => Ok(claim.commit(transaction, paid()).await?),
        "refuse" => {
            let refused = HttpResponse::PaymentRequired().body("no money");
            Ok(claim.commit(transaction, refused).await?)
        }
        "fail" => {
            let failed = HttpResponse::BadGateway().body("the bank says no");
            Ok(claim.commit(transaction, failed).await?)
        }
        "then-another" => {
            claim.commit(transaction, paid()).await?;
            Ok(HttpResponse::Accepted().body("another"))
        }
        "then-err" => {
            claim.commit(transaction, paid()).await?;
            Err(ErrorConflict("too late"))
        }
        "then-panic" => {
            claim.commit(transaction, paid()).await?;
            panic!("after the commit");
        }
        "omit" => {
            claim.as_ref().unwrap().omit_response();
            Ok(claim.commit(transaction, paid()).await?)
        }
        "twice" => {
            let response = claim.commit(transaction, paid()).await?;
            let second = claim.commit(shop.begun(2).await, paid()).await.unwrap_err();
            assert_eq!(second.kind(), CommitErrorKind::Refused);
            Ok(response)
        }
        "nested" => {
            let mut outer = transaction;
            let inner = actix_web_idempotency_sqlx::sqlx::Acquire::begin(&mut outer).await;
            let inner = inner.map_err(ErrorInternalServerError)?;
            Ok(claim.commit(inner, paid()).await?)
        }
        "lost" => {
            let key = shop.the_key().await;
            shop.store.force_release(&key).await.unwrap();
            let next = NewClaim::lock(key, Duration::from_millis(100));
            shop.store.begin(&next).await.unwrap();
            Ok(claim.commit(transaction, paid()).await?)
        }
        "ignore-lost" => {
            let key = shop.the_key().await;
            shop.store.force_release(&key).await.unwrap();
            let lost = claim.commit(transaction, paid()).await.unwrap_err();
            assert_eq!(lost.kind(), CommitErrorKind::Lost);
            Ok(HttpResponse::ServiceUnavailable().finish())
        }
        "deferred" => {
            // The constraint is looked at by COMMIT.
            let mut transaction = transaction;
            let again = format!("INSERT INTO {} VALUES (1)", shop.rows);
            let again = query(AssertSqlSafe(again)).execute(&mut *transaction);
            again.await.unwrap();
            Ok(claim.commit(transaction, paid()).await?)
        }
        "again" => {
            let mut transaction = transaction;
            let twice = format!("INSERT INTO {} VALUES (1)", shop.rows);
            let twice = query(AssertSqlSafe(twice)).execute(&mut *transaction);
            twice.await.unwrap();
            let refused = claim.commit(transaction, paid()).await.unwrap_err();
            assert_eq!(refused.kind(), CommitErrorKind::RolledBack);
            Ok(claim.commit(shop.begun(1).await, paid()).await?)
        }
        "drop" => {
            // In doubt, and not committed.
            drop(claim.as_ref().unwrap().completion(paid())?);
            Ok(HttpResponse::Created().body("without its rows"))
        }
        "forget" => {
            transaction.commit().await.unwrap();
            Ok(paid())
        }
        other => panic!("{other}"),
    }
}

fn server(keys: &Idempotency, shop: &Shop) -> Server {
    let (keys, shop) = (keys.clone(), web::Data::new(shop.clone()));
    serve!(
        2,
        App::new()
            .wrap(keys.clone())
            .app_data(shop.clone())
            .route("/{case}", web::post().to(handler))
    )
}

async fn shop() -> (Shop, Server) {
    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let server = server(&keys_on(table.store).build().unwrap(), &shop);
    (shop, server)
}

async fn sent(server: &Server, case: &str) -> Answer {
    let request = post(server, &format!("/{case}"), "x").header("idempotency-key", "a-1");
    answer(request).await
}

#[tokio::test]
async fn committed_response_is_replayed_whatever_its_status() {
    for (case, status, body) in [
        ("pay", 201, "paid"),
        ("refuse", 402, "no money"),
        ("fail", 502, "the bank says no"),
    ] {
        let (shop, server) = shop().await;
        assert_eq!(sent(&server, case).await, Answer::executed(status, body));
        assert_eq!(sent(&server, case).await, Answer::replayed(status, body));
        assert_eq!(shop.rows(), "1", "{case}");
    }
}

#[tokio::test]
async fn whatever_follows_a_commit_retries_get_what_was_committed() {
    log::collect();
    for (case, status) in [
        ("then-another", 202),
        ("then-err", 409),
        ("then-panic", 500),
    ] {
        let (shop, server) = shop().await;
        assert_eq!(sent(&server, case).await.status, status, "{case}");
        let again = sent(&server, case).await;
        assert_eq!(again, Answer::replayed(201, "paid"), "{case}");
        assert_eq!(shop.rows(), "1", "{case}");
    }
    // Each handler that has responded differs from what it has committed.
    let lines = log::lines_with("has committed one response and returned another");
    assert!(lines.len() >= 2 && lines[0].contains("key="), "{lines:?}");
}

#[tokio::test]
async fn failing_open_with_commits_is_a_warning() {
    log::collect();
    let table = PostgresTable::new().await;
    let builder = keys_on(table.store).on_store_failure(StoreFailure::FailOpen);
    builder.build().unwrap();
    let lines = log::lines_with("fails open on a store that commits records");
    assert!(!lines.is_empty());
}

#[tokio::test]
async fn second_commit_and_nested_transaction_are_refused_before_anything_is_sent() {
    let (shop, server) = shop().await;
    assert_eq!(sent(&server, "twice").await, Answer::executed(201, "paid"));
    assert_eq!(shop.rows(), "1");

    let (shop, server) = self::shop().await;
    assert_eq!(sent(&server, "nested").await.status, 500);
    assert_eq!(shop.rows(), "0");
    // A program that is mistaken is not recorded.
    assert_eq!(sent(&server, "nested").await.status, 500);
}

#[tokio::test]
async fn response_that_is_left_out_is_committed_as_done() {
    let (shop, server) = shop().await;
    assert_eq!(sent(&server, "omit").await, Answer::executed(201, "paid"));
    let again = post(&server, "/omit", "x").header("idempotency-key", "a-1");
    assert_refused(again, ProblemKind::ResponseNotStored).await;
    assert_eq!(shop.rows(), "1");
}

#[tokio::test]
async fn response_in_doubt_is_not_recorded_without_its_rows() {
    let (shop, server) = shop().await;
    for _run in 0..2 {
        // The key is free again: nothing was committed.
        let told = sent(&server, "drop").await;
        assert_eq!(told, Answer::executed(201, "without its rows"));
    }
    assert_eq!(shop.rows(), "0");

    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let keys = keys_on(table.store).on_expired_lease(ExpiredLease::Refuse);
    let keys = keys.lease(Duration::from_millis(200)).build().unwrap();
    let server = self::server(&keys, &shop);
    assert_eq!(sent(&server, "drop").await.status, 201);
    sleep(Duration::from_millis(400)).await;
    // Nobody says that it has not been committed.
    let again = post(&server, "/drop", "x").header("idempotency-key", "a-1");
    assert_refused(again, ProblemKind::OutcomeUnknown).await;
}

#[tokio::test]
async fn lost_claim_rolls_the_rows_back() {
    for case in ["lost", "ignore-lost"] {
        let (shop, server) = shop().await;
        assert_eq!(sent(&server, case).await.status, 503, "{case}");
        assert_eq!(shop.rows(), "0", "{case}");
    }
}

#[tokio::test]
async fn commit_that_fails_frees_the_key_and_can_be_tried_again() {
    let (shop, server) = shop().await;
    let refused = post(&server, "/deferred", "x").header("idempotency-key", "a-1");
    assert_refused(refused, ProblemKind::StoreUnavailable).await;
    assert_eq!(shop.rows(), "0");
    // It runs again, and fails again.
    let again = post(&server, "/deferred", "x").header("idempotency-key", "a-1");
    assert_refused(again, ProblemKind::StoreUnavailable).await;
    let (shop, server) = self::shop().await;
    assert_eq!(sent(&server, "again").await, Answer::executed(201, "paid"));
    assert_eq!(sent(&server, "again").await, Answer::replayed(201, "paid"));
    assert_eq!(shop.rows(), "1");
}

#[tokio::test]
async fn request_without_a_key_commits_plainly() {
    let (shop, server) = shop().await;
    let plain = answer(post(&server, "/pay", "x")).await;
    assert_eq!(plain, Answer::executed(201, "paid"));
    assert_eq!(shop.rows(), "1");
}

#[tokio::test]
async fn guard_on_another_store_refuses_the_commit() {
    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let server = server(&keys_on(MemoryStore::new()).build().unwrap(), &shop);
    let refused = sent(&server, "pay").await;
    assert_eq!(refused.status, 500);
    assert_eq!(
        refused.body, "",
        "what is wrong is nothing to tell a client"
    );
    assert_eq!(shop.rows(), "0");
}

#[tokio::test]
async fn success_without_a_commit_is_recorded_and_reported() {
    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let ear = Ear::default();
    let keys = keys_on(table.store).on_event(ear.hears()).build().unwrap();
    let server = server(&keys, &shop);
    assert_eq!(sent(&server, "forget").await, Answer::executed(201, "paid"));
    assert_eq!(sent(&server, "forget").await, Answer::replayed(201, "paid"));
    assert_eq!(ear.incidents(), [IncidentKind::CommitForgotten]);

    let committed = post(&server, "/pay", "x").header("idempotency-key", "a-2");
    PostgresTable::server().query(&format!("DELETE FROM {}", shop.rows));
    assert_eq!(answer(committed).await.status, 201);
    assert_eq!(
        ear.requests().last().unwrap().ending,
        Some(Ending::Committed)
    );
    assert_eq!(ear.incidents().len(), 1);
}

/// A handler that gives its commit up, and says so.
async fn impatient(claim: Claim, shop: web::Data<Shop>) -> Result<HttpResponse, Error> {
    let commit = claim.commit(shop.begun(1).await, HttpResponse::Created().body("paid"));
    match timeout(Duration::from_millis(100), commit).await {
        Ok(committed) => Ok(committed?),
        Err(_elapsed) => Ok(HttpResponse::ServiceUnavailable().body("in doubt")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_in_doubt_is_found_by_the_retry() {
    let postgres = Postgres::start();
    for expired_lease in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        // COMMIT reaches the server, its reply is held back.
        let detour = Detour::to(postgres.port(), "COMMIT").await;
        let direct = PostgresTable::on_server(&postgres).await;
        let slow = PgPool::connect_lazy(&Postgres::url_at(detour.port())).unwrap();
        let rows = format!("rows_of_{}", direct.name);
        postgres.query(&format!("CREATE TABLE {rows} (n integer)"));
        let shop = web::Data::new(Shop {
            pool: slow,
            store: direct.store.clone(),
            rows: rows.clone(),
        });
        let ear = Ear::default();
        let keys = keys_on(direct.store.clone()).on_expired_lease(expired_lease);
        let keys = keys.on_event(ear.hears()).build().unwrap();
        let server = serve!(
            1,
            App::new()
                .wrap(keys.clone())
                .app_data(shop.clone())
                .default_service(web::to(impatient))
        );
        let told = answer(pay(&server, "a-1", "x")).await;
        assert_eq!(told, Answer::executed(503, "in doubt"));
        ear.hears_incident(IncidentKind::CommitInDoubt).await;
        // The background finds a record, and leaves it.
        let again = answer(pay(&server, "a-1", "x")).await;
        assert_eq!(again, Answer::replayed(201, "paid"));
        assert_eq!(postgres.query(&format!("SELECT count(*) FROM {rows}")), "1");
        detour.let_go();
    }
}

#[tokio::test]
async fn execution_commits_its_result_with_the_rows() {
    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let deduplicator = Deduplicator::new(table.store);
    let DedupOutcome::Execute(execution) = deduplicator.claim("m-1", None).await.unwrap() else {
        panic!("it is new");
    };
    (execution
        .commit(shop.begun(1).await, b"sent".to_vec())
        .await)
        .unwrap();
    let second = execution.commit(shop.begun(2).await, Vec::new()).await;
    assert_eq!(second.unwrap_err().kind(), CommitErrorKind::Refused);
    // What is said afterwards changes nothing.
    assert_eq!(execution.release().await, FinishOutcome::Confirmed);
    let DedupOutcome::Replay(ExecutionOutcome::Completed(result)) =
        deduplicator.claim("m-1", None).await.unwrap()
    else {
        panic!("it is done");
    };
    assert_eq!(result, "sent");
    assert_eq!(shop.rows(), "1");
}

#[tokio::test]
async fn shadow_commits_plainly() {
    let table = PostgresTable::new().await;
    let shop = Shop::on(&table);
    let keys = Backend::Postgres(table)
        .keys()
        .shadow(true)
        .build()
        .unwrap();
    let server = server(&keys, &shop);
    // The second one would be a replay.
    for _ in 0..2 {
        assert_eq!(sent(&server, "pay").await, Answer::executed(201, "paid"));
        assert_eq!(shop.rows(), "1");
        PostgresTable::server().query(&format!("DELETE FROM {}", shop.rows));
    }
}
