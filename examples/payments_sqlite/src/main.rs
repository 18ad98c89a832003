//! `POST /payments` pays once, with nothing to install: ledger and keys are one file, and one transaction.
//!
//! Run it with `cargo run -p payments_sqlite`, kill it in the middle, start it again and retry; `LEDGER` names the file,
//! `ADDR` the address.

use std::{env, num::NonZeroU32, time::Duration};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Result, error, web};
use actix_web_idempotency::{Claim, Idempotency, Scope};
use actix_web_idempotency_sqlx::{
    Commit, SqliteStore,
    sqlx::{
        self, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Says who pays. A gateway sets it, so clients cannot.
const ACCOUNT: &str = "x-account";

const DEBIT: &str = "UPDATE accounts SET balance = balance - ?2 WHERE id = ?1 AND balance >= ?2";
const PAY: &str =
    "INSERT INTO payments (account, amount, recipient) VALUES (?1, ?2, ?3) RETURNING id";

#[derive(Debug, Deserialize, Serialize)]
struct Payment {
    amount: NonZeroU32,
    to: String,
}

async fn pay(
    req: HttpRequest,
    claim: Claim,
    payment: web::Json<Payment>,
    pool: web::Data<SqlitePool>,
) -> Result<HttpResponse> {
    let account = req.headers().get(ACCOUNT).and_then(|it| it.to_str().ok());
    let account = account.ok_or_else(|| error::ErrorUnauthorized("whose money?"))?;
    let amount = i64::from(payment.amount.get());
    // It waits for its turn here: there is one writer at a time. Rolled back when it is dropped.
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;

    let debit = sqlx::query(DEBIT).bind(account).bind(amount);
    let debited = debit.execute(&mut *tx).await.map_err(failed)?;
    if debited.rows_affected() == 0 {
        claim.mark_transient(); // the same key may try again when there is money
        return Ok(HttpResponse::PaymentRequired().finish());
    }
    let pay = sqlx::query_scalar(PAY).bind(account).bind(amount);
    let paid = pay.bind(&payment.to).fetch_one(&mut *tx).await;
    let id: i64 = paid.map_err(failed)?;

    let response = HttpResponse::Created().json(json!({ "id": id, "paid": payment }));
    Ok(claim.commit(tx, response).await?) // all of it, or nothing
}

fn failed(err: sqlx::Error) -> actix_web::Error {
    error::ErrorInternalServerError(err)
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    let file = env::var("LEDGER").unwrap_or_else(|_| "ledger.db".to_owned());
    let file = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal) // or a replay waits for each writer
        .busy_timeout(Duration::from_millis(500));
    let pool = SqlitePool::connect_with(file).await?;
    sqlx::raw_sql(include_str!("../schema.sql"))
        .execute(&pool)
        .await?;
    let store = SqliteStore::new(pool.clone());
    store.migrate().await?;

    let keys = Idempotency::builder(store, Scope::header(ACCOUNT))
        .required(true)
        .lease(Duration::from_secs(5)) // so long a key is blocked after a crash
        .build()?;
    let (wrapped, pool) = (keys.clone(), web::Data::new(pool));
    let payments = move || web::resource("/payments").wrap(wrapped.clone()).post(pay);
    let app = move || App::new().app_data(pool.clone()).service(payments());
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = HttpServer::new(app)
        .shutdown_signal(keys.drain_on_stop(Duration::from_secs(10))) // let payments end, then stop
        .bind(addr)?;
    let url = format!("http://{}/payments", server.addrs()[0]);
    let headers = r#"-H 'x-account: ann' -H 'idempotency-key: "tea-1"'"#;
    let body = r#"{"amount":5,"to":"bob"}"#;
    println!("Try this twice:\n\n  curl -i {url} {headers} --json '{body}'\n");
    server.run().await?;
    keys.drain(Duration::from_secs(5)).await; // record and release what was cut off
    Ok(())
}
