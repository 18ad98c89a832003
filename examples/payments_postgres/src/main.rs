//! `POST /payments` pays once, even when the idempotency store has lost its records.
//!
//! Run it with `DATABASE_URL=postgres://user@localhost/bank cargo run -p payments_postgres`;
//! `REDIS_URL` and `ADDR` are optional.

mod ledger;

use std::{env, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Result, error::ErrorUnauthorized, web,
};
use actix_web_idempotency::{
    AnyStore, Claim, Idempotency, IdempotencyKey, MemoryStore, RedisStore, Scope,
};
use anyhow::Context;
use serde_json::json;

use self::ledger::{Ledger, Outcome, Payment};

/// Says who pays. A gateway sets it, so clients cannot.
const ACCOUNT: &str = "x-account";

async fn pay(
    req: HttpRequest,
    key: IdempotencyKey,
    claim: Claim,
    payment: web::Json<Payment>,
    ledger: web::Data<Ledger>,
) -> Result<HttpResponse> {
    let account = req
        .headers()
        .get(ACCOUNT)
        .and_then(|value| value.to_str().ok());
    let account = account.ok_or_else(|| ErrorUnauthorized("whose money?"))?;
    let fence = claim.fencing_token().await?;
    let outcome = ledger.pay(account, key.as_str(), &payment, fence).await;
    Ok(match outcome {
        Ok(Outcome::Paid(id)) => HttpResponse::Created().json(json!({ "id": id, "paid": payment })),
        Ok(Outcome::Refused) => {
            claim.mark_transient(); // the same key may try again when there is money
            HttpResponse::PaymentRequired().finish()
        }
        Ok(Outcome::KeyReused) => HttpResponse::UnprocessableEntity().finish(),
        // Below 500 it would be recorded, if the successor has left the key free.
        Ok(Outcome::Stale) => HttpResponse::ServiceUnavailable().finish(),
        Err(err) => {
            log::error!("{err:#}");
            HttpResponse::InternalServerError().finish()
        }
    })
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("info"));
    let store = match env::var("REDIS_URL") {
        Ok(url) => AnyStore::new(RedisStore::new(url)?),
        Err(_) => AnyStore::new(MemoryStore::new()),
    };
    let keys = Idempotency::builder(store, Scope::header(ACCOUNT))
        .required(true)
        .lease(Duration::from_secs(5)) // so long a key is blocked after a crash
        .build()?;
    let database = env::var("DATABASE_URL").context("DATABASE_URL names no database")?;
    let ledger = web::Data::new(Ledger::open(database).await?);
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let wrapped = keys.clone();
    let payments = move || web::resource("/payments").wrap(wrapped.clone()).post(pay);
    let app = move || App::new().app_data(ledger.clone()).service(payments());
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
