//! `POST /payments` pays once, whatever dies: money, mail and the response for each retry are one transaction.
//!
//! Run it with `DATABASE_URL=postgres://user@localhost/bank cargo run -p payments_postgres`; `ADDR` is optional.

use std::{env, num::NonZeroU32, str::FromStr, time::Duration};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Result, error, web};
use actix_web_idempotency::{Claim, Idempotency, Scope};
use actix_web_idempotency_sqlx::{Commit, PgStore, sqlx};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Says who pays. A gateway sets it, so clients cannot.
const ACCOUNT: &str = "x-account";

const DEBIT: &str = "UPDATE accounts SET balance = balance - $2 WHERE id = $1 AND balance >= $2";

/// Writes the payment, and a mail about it: one that the handler sent itself could be about a payment that is rolled
/// back afterwards.
const WRITE_DOWN: &str = "
    WITH paid AS (
        INSERT INTO payments (account, amount, recipient) VALUES ($1, $2, $3) RETURNING id
    )
    INSERT INTO outbox (payment, mail) SELECT id, $3 || ', you have got ' || $2 FROM paid RETURNING payment";

#[derive(Debug, Deserialize, Serialize)]
struct Payment {
    amount: NonZeroU32,
    to: String,
}

async fn pay(
    req: HttpRequest,
    claim: Claim,
    payment: web::Json<Payment>,
    pool: web::Data<sqlx::PgPool>,
) -> Result<HttpResponse> {
    let account = req.headers().get(ACCOUNT).and_then(|it| it.to_str().ok());
    let account = account.ok_or_else(|| error::ErrorUnauthorized("whose money?"))?;
    let amount = i64::from(payment.amount.get());
    let mut tx = pool.begin().await.map_err(failed)?; // rolled back when it is dropped

    let debit = sqlx::query(DEBIT).bind(account).bind(amount);
    let debited = debit.execute(&mut *tx).await.map_err(failed)?;
    if debited.rows_affected() == 0 {
        claim.mark_transient(); // the same key may try again when there is money
        return Ok(HttpResponse::PaymentRequired().finish());
    }
    let written = sqlx::query_scalar(WRITE_DOWN)
        .bind(account)
        .bind(amount)
        .bind(&payment.to);
    let id: i64 = written.fetch_one(&mut *tx).await.map_err(failed)?;

    let response = HttpResponse::Created().json(json!({ "id": id, "paid": payment }));
    Ok(claim.commit(tx, response).await?) // all of it, or nothing
}

fn failed(err: sqlx::Error) -> actix_web::Error {
    error::ErrorInternalServerError(err)
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    let database = env::var("DATABASE_URL").context("DATABASE_URL names no database")?;
    let database = sqlx::postgres::PgConnectOptions::from_str(&database)?;
    // Or a process that is suspended in a transaction keeps the account locked.
    let database = database.options([("idle_in_transaction_session_timeout", "10s")]);
    let pool = sqlx::PgPool::connect_with(database).await?;
    sqlx::raw_sql(include_str!("../schema.sql"))
        .execute(&pool)
        .await?;
    let store = PgStore::new(pool.clone());
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
