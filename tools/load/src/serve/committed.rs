use actix_web::{
    HttpRequest, HttpResponse,
    error::{Error, ErrorConflict, ErrorInternalServerError},
    web::{Bytes, Data},
};
use actix_web_idempotency::{Claim, Idempotency, Scope};
use actix_web_idempotency_sqlx::{
    Commit, PgStore,
    sqlx::{PgPool, query, raw_sql},
};

use super::{
    floor::postgres::HEADERS,
    order::{created, receipt},
};

pub(super) const ORDER: &str = "INSERT INTO orders (receipt) VALUES ($1)";

/// Makes the tables of the application and of the book's pattern.
pub(super) async fn orders(pool: &PgPool) -> anyhow::Result<()> {
    let tables = "CREATE TABLE orders (receipt text); \
                  CREATE TABLE saved (key text PRIMARY KEY, status smallint, headers bytea, body bytea)";
    raw_sql(tables).execute(pool).await?;
    Ok(())
}

pub(super) async fn committed(pool: &PgPool, asynchronous: bool) -> anyhow::Result<Idempotency> {
    orders(pool).await?;
    let store = PgStore::builder(pool.clone()).asynchronous_claims(asynchronous);
    let store = store.build()?;
    store.migrate().await?;
    Ok(Idempotency::new(store, Scope::global())?)
}

/// A handler that writes a row, and commits it with its claim.
pub(super) async fn commit(
    claim: Claim,
    pool: Data<PgPool>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let receipt = receipt(&body);
    let mut tx = pool.begin().await.map_err(ErrorInternalServerError)?;
    let row = query(ORDER).bind(&receipt).execute(&mut *tx);
    row.await.map_err(ErrorInternalServerError)?;
    Ok(claim.commit(tx, created(receipt)).await?)
}

/// The same by the pattern of <https://www.zero2prod.com>, chapter 10: the record is inserted at the beginning of the
/// transaction, and gets the response at its end.
pub(super) async fn book(
    request: HttpRequest,
    pool: Data<PgPool>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let key = request.headers().get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let mut tx = pool.begin().await.map_err(ErrorInternalServerError)?;
    let claim = "INSERT INTO saved (key) VALUES ($1) ON CONFLICT DO NOTHING";
    let claim = query(claim).bind(key).execute(&mut *tx).await;
    if claim.map_err(ErrorInternalServerError)?.rows_affected() == 0 {
        return Err(ErrorConflict("the load has no duplicates"));
    }
    let receipt = receipt(&body);
    let row = query(ORDER).bind(&receipt).execute(&mut *tx);
    row.await.map_err(ErrorInternalServerError)?;
    let save = "UPDATE saved SET status = 201, headers = $2, body = $3 WHERE key = $1";
    let save = query(save).bind(key).bind(HEADERS).bind(receipt.as_bytes());
    let save = save.execute(&mut *tx).await;
    save.map_err(ErrorInternalServerError)?;
    tx.commit().await.map_err(ErrorInternalServerError)?;
    Ok(created(receipt))
}
