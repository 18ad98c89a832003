//! Commits of claims in transactions of the application.

use actix_web::{App, Error, HttpResponse, error::ErrorInternalServerError, web};
use actix_web_idempotency::{
    Claim, Idempotency,
    commit::CommitErrorKind,
    dedup::{DedupOutcome, Deduplicator},
    store::{Begin, Cursor, Inspect, NewClaim, Store},
};
use actix_web_idempotency_sqlx::{
    Commit, SqliteStore,
    sqlx::{
        Acquire, AssertSqlSafe, Sqlite, SqlitePool, Transaction, query, raw_sql,
        sqlite::SqlitePoolOptions,
    },
};

use crate::{
    serve,
    support::{
        claims::{assert_finished, claim_under, take},
        keys::{Answer, answer, keys_on, pay},
        problems::{ProblemKind, assert_refused},
        server::{Server, post},
        sqlite::SqliteFile,
    },
};

#[derive(Clone)]
struct Shop {
    pool: SqlitePool,
    store: SqliteStore,
}

impl Shop {
    async fn in_file(file: &SqliteFile) -> Self {
        // One connection: what a commit leaves behind is what the next one finds.
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_lazy(&file.url()).unwrap();
        let rows = "CREATE TABLE payments (n INTEGER)";
        raw_sql(rows).execute(&pool).await.unwrap();
        Self {
            pool,
            store: file.store.clone(),
        }
    }

    async fn begun(&self) -> Transaction<'static, Sqlite> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let row = query("INSERT INTO payments VALUES (1)").execute(&mut *transaction);
        row.await.unwrap();
        transaction
    }

    async fn lose(&self) {
        let most = 10.try_into().unwrap();
        let page = self.store.list("", &Cursor::start(), most).await.unwrap();
        let key = page.entries[0].0.clone();
        assert!(self.store.force_release(&key).await.unwrap());
    }
}

async fn handler(
    case: web::Path<String>,
    claim: Option<Claim>,
    shop: web::Data<Shop>,
) -> Result<HttpResponse, Error> {
    let paid = || HttpResponse::Created().body("paid");
    match case.as_str() {
        "pay" => Ok(claim.commit(shop.begun().await, paid()).await?),
        "roll-back" => {
            drop(shop.begun().await);
            Ok(HttpResponse::PaymentRequired().finish())
        }
        "lost" => {
            shop.lose().await;
            Ok(claim.commit(shop.begun().await, paid()).await?)
        }
        "twice" => {
            let response = claim.commit(shop.begun().await, paid()).await?;
            let second = claim.commit(shop.begun().await, paid()).await.unwrap_err();
            assert_eq!(second.kind(), CommitErrorKind::Refused);
            Ok(response)
        }
        "nested" => {
            let mut outer = shop.begun().await;
            let inner = outer.begin().await.map_err(ErrorInternalServerError)?;
            Ok(claim.commit(inner, paid()).await?)
        }
        "drop" => {
            drop(claim.as_ref().unwrap().completion(paid())?);
            Ok(HttpResponse::Created().body("without its rows"))
        }
        other => panic!("{other}"),
    }
}

fn server(keys: &Idempotency, shop: &Shop) -> Server {
    let (keys, shop) = (keys.clone(), web::Data::new(shop.clone()));
    serve!(
        App::new()
            .wrap(keys.clone())
            .app_data(shop.clone())
            .route("/{case}", web::post().to(handler))
    )
}

async fn shop() -> (SqliteFile, Shop, Server) {
    let file = SqliteFile::new().await;
    let shop = Shop::in_file(&file).await;
    let server = server(&keys_on(shop.store.clone()).build().unwrap(), &shop);
    (file, shop, server)
}

async fn sent(server: &Server, case: &str) -> Answer {
    let request = post(server, &format!("/{case}"), "x").header("idempotency-key", "a-1");
    answer(request).await
}

const ROWS: &str = "SELECT count(*) FROM payments";

#[tokio::test]
async fn committed_response_is_replayed_and_its_row_is_there_once() {
    let (file, _shop, server) = shop().await;
    assert_eq!(sent(&server, "pay").await, Answer::executed(201, "paid"));
    assert_eq!(sent(&server, "pay").await, Answer::replayed(201, "paid"));
    assert_eq!(file.number(ROWS).await, 1);
    assert_eq!(answer(post(&server, "/pay", "x")).await.status, 201);
    assert_eq!(file.number(ROWS).await, 2, "without a key");
}

#[tokio::test]
async fn transaction_that_is_dropped_leaves_nothing() {
    let (file, _shop, server) = shop().await;
    assert_eq!(sent(&server, "roll-back").await.status, 402);
    assert_eq!(file.number(ROWS).await, 0);
}

#[tokio::test]
async fn lost_claim_rolls_the_rows_back_and_its_connection_can_be_used_again() {
    let (file, shop, server) = shop().await;
    let lost = post(&server, "/lost", "x").header("idempotency-key", "a-1");
    assert_refused(lost, ProblemKind::StoreUnavailable).await;
    assert_eq!(file.number(ROWS).await, 0);
    // It is the only connection, and in no transaction.
    drop(shop.begun().await);
    assert_eq!(sent(&server, "pay").await, Answer::executed(201, "paid"));
    assert_eq!(file.number(ROWS).await, 1);
}

#[tokio::test]
async fn second_commit_and_nested_transaction_are_refused_before_anything_is_sent() {
    let (file, _shop, server) = shop().await;
    assert_eq!(sent(&server, "twice").await, Answer::executed(201, "paid"));
    assert_eq!(file.number(ROWS).await, 1);
    let (file, _shop, server) = shop().await;
    assert_eq!(sent(&server, "nested").await.status, 500);
    assert_eq!(file.number(ROWS).await, 0);
}

#[tokio::test]
async fn response_in_doubt_is_not_recorded_without_its_rows() {
    let (file, _shop, server) = shop().await;
    assert_eq!(sent(&server, "drop").await.status, 201);
    let again = sent(&server, "drop").await;
    assert!(!again.is_replay, "nothing was committed: {again:?}");
    assert_eq!(file.number(ROWS).await, 0);
}

#[tokio::test]
async fn shadow_commits_plainly() {
    let file = SqliteFile::new().await;
    let shop = Shop::in_file(&file).await;
    let keys = keys_on(shop.store.clone()).shadow(true).build().unwrap();
    let server = server(&keys, &shop);
    for rows in 1..=2 {
        assert_eq!(sent(&server, "pay").await, Answer::executed(201, "paid"));
        assert_eq!(file.number(ROWS).await, rows);
    }
}

#[tokio::test]
async fn execution_commits_its_result_with_the_rows() {
    let file = SqliteFile::new().await;
    let shop = Shop::in_file(&file).await;
    let deduplicator = Deduplicator::new(file.store.clone());
    let DedupOutcome::Execute(execution) = deduplicator.claim("m-1", None).await.unwrap() else {
        panic!("it is new");
    };
    let committed = execution.commit(shop.begun().await, b"sent".to_vec());
    committed.await.unwrap();
    drop(execution);
    let again = deduplicator.claim("m-1", None).await.unwrap();
    assert!(matches!(again, DedupOutcome::Replay(_)), "{again:?}");
    assert_eq!(file.number(ROWS).await, 1);
}

/// The statement as another driver sends it, of an application that goes on whatever it says.
#[tokio::test]
async fn statement_that_finds_no_claim_ends_the_transaction_whatever_is_made_of_the_error() {
    let file = SqliteFile::new().await;
    let shop = Shop::in_file(&file).await;
    let (other, released, never, own) = (
        claim_under("a:", 1),
        claim_under("a:", 2),
        claim_under("a:", 3),
        claim_under("a:", 4),
    );
    take(&file.store, &other).await;
    take(&file.store, &released).await;
    file.store.release(&released.lease()).await.unwrap();
    let stale = claim_under("a:", 1);
    for lost in [&stale, &released, &never] {
        complete_regardless(&shop, lost).await;
        assert_eq!(file.number(ROWS).await, 0);
    }
    let met = file.store.begin(&claim_under("a:", 1)).await.unwrap();
    assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
    take(&file.store, &own).await;
    complete_regardless(&shop, &own).await;
    assert_eq!(file.number(ROWS).await, 1);
    assert_finished(&file.store, &own).await;
    // A record is no claim.
    complete_regardless(&shop, &own).await;
    assert_eq!(file.number(ROWS).await, 1);
}

/// Without the transactions of sqlx, which end with their connection.
async fn complete_regardless(shop: &Shop, claim: &NewClaim) {
    let completion = shop.store.completion().unwrap();
    let mut connection = shop.pool.acquire().await.unwrap().detach();
    raw_sql("BEGIN IMMEDIATE; INSERT INTO payments VALUES (1)")
        .execute(&mut connection)
        .await
        .unwrap();
    let _ = query(AssertSqlSafe(completion.as_str().to_owned()))
        .bind(claim.key.to_string())
        .bind(claim.token.as_bytes().as_slice())
        .bind(claim.fingerprint.map(|of| of.as_bytes().to_vec()))
        .bind(201_i64)
        .bind(b"".as_slice())
        .bind(b"paid".as_slice())
        .bind(60_000_i64)
        .bind(i64::from(u32::MAX) * 1_000_000)
        .fetch_one(&mut connection)
        .await;
    let _ = raw_sql("COMMIT").execute(&mut connection).await;
}

#[tokio::test]
async fn duplicate_of_a_committed_request_in_another_process_is_a_replay() {
    let (file, _shop, first) = shop().await;
    assert_eq!(sent(&first, "pay").await.status, 201);
    let keys = keys_on(file.another_store()).build().unwrap();
    let other = serve!(
        App::new()
            .wrap(keys.clone())
            .route("/{case}", web::post().to(HttpResponse::Created))
    );
    assert_eq!(sent(&other, "pay").await, Answer::replayed(201, "paid"));
    assert_eq!(answer(pay(&other, "b-1", "x")).await.status, 404);
}
