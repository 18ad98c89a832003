use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{
    HttpRequest, HttpResponse,
    error::{Error, ErrorInternalServerError},
    web::{Bytes, Data},
};
use actix_web_idempotency_sqlx::sqlx::{self, PgPool, Row, postgres::PgRow, query};

use crate::serve::{
    committed::ORDER,
    order::{created, receipt, replayed},
};

/// The store's own statements: the floor must cost PostgreSQL what the store costs it.
const BEGIN: &str = include_str!("../../../../../src/store/sql/postgres/begin.sql");
const COMPLETE: &str = include_str!("../../../../../src/store/sql/postgres/complete.sql");
const COMMIT: &str = include_str!("../../../../../src/store/sql/postgres/commit.sql");

const LEASE: i64 = 30_000;
const GRACE: i64 = 60_000;
const RETENTION: i64 = 24 * 3600 * 1000;
/// The content type, as it is recorded.
pub(in crate::serve) const HEADERS: &[u8] = b"\x00\x0ccontent-type\x00\x00\x00\x10application/json";

/// What the middlewares make of 200 bytes, written by hand: the same statements with values of the same length on
/// the application's pool, and nothing else. No digest, no time limit, no undo.
pub(in crate::serve) struct Floor {
    pool: PgPool,
    requests: AtomicU64,
}

impl Floor {
    pub(in crate::serve) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            requests: AtomicU64::new(1 << 60),
        }
    }

    /// Sixteen bytes for a request.
    fn token(&self) -> [u8; 16] {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        u128::from(number).to_be_bytes()
    }

    async fn begin(&self, key: &str, token: &[u8]) -> Result<PgRow, Error> {
        let row = query(BEGIN)
            .bind(key)
            .bind(token)
            .bind([0_u8; 32].as_slice())
            .bind(LEASE)
            .bind(GRACE)
            .bind(RETENTION)
            .bind(0_i64)
            .fetch_one(&self.pool);
        row.await.map_err(ErrorInternalServerError)
    }

    /// A row of the application and a completion in one transaction.
    async fn commit(&self, key: &str, token: &[u8], receipt: &str) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        query(ORDER).bind(receipt).execute(&mut *tx).await?;
        query(COMMIT)
            .bind(key)
            .bind(token)
            .bind([0_u8; 32].as_slice())
            .bind(201_i64)
            .bind(HEADERS)
            .bind(receipt.as_bytes())
            .bind(RETENTION)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn complete(&self, key: &str, token: &[u8], receipt: &str) -> Result<(), Error> {
        let row = query(COMPLETE)
            .bind(key)
            .bind(token)
            .bind([0_u8; 32].as_slice())
            .bind(201_i64)
            .bind(HEADERS)
            .bind(receipt.as_bytes())
            .bind(RETENTION)
            .bind(RETENTION)
            .fetch_one(&self.pool);
        let row = row.await.map_err(ErrorInternalServerError)?;
        match row.get(0) {
            "done" => Ok(()),
            other => Err(ErrorInternalServerError(other.to_owned())),
        }
    }
}

/// A first run: a claim, and a completion before the response.
pub(in crate::serve) async fn first_run(
    floor: Data<Floor>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let token = floor.token();
    let key = format!("idempotency:{:064x}", u128::from_be_bytes(token));
    floor.begin(&key, &token).await?;
    let receipt = receipt(&body);
    floor.complete(&key, &token, &receipt).await?;
    Ok(created(receipt))
}

/// A claim, and a completion in the transaction of the handler.
pub(in crate::serve) async fn commit(
    floor: Data<Floor>,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let token = floor.token();
    let key = format!("idempotency:{:064x}", u128::from_be_bytes(token));
    floor.begin(&key, &token).await?;
    let receipt = receipt(&body);
    let committed = floor.commit(&key, &token, &receipt).await;
    committed.map_err(ErrorInternalServerError)?;
    Ok(created(receipt))
}

/// A replay: a claim that brings the record, where there is one.
pub(in crate::serve) async fn replay(
    floor: Data<Floor>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let asked = request.headers().get("idempotency-key");
    let asked = asked.and_then(|value| value.to_str().ok());
    let (key, token) = (
        format!("idempotency:{:0>64}", asked.unwrap_or_default()),
        floor.token(),
    );
    let row = floor.begin(&key, &token).await?;
    match row.get(0) {
        "finished" => {
            let receipt: Vec<u8> = row.get(7);
            Ok(replayed(receipt))
        }
        "claimed" => {
            let receipt = receipt(&body);
            floor.complete(&key, &token, &receipt).await?;
            Ok(created(receipt))
        }
        other => Err(ErrorInternalServerError(other.to_owned())),
    }
}
