use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{
    HttpRequest, HttpResponse,
    error::{Error, ErrorInternalServerError},
    web::{Bytes, Data},
};
use actix_web_idempotency_sqlx::sqlx::{
    self, Row, SqlitePool, query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::postgres::HEADERS;
use crate::serve::order::{created, receipt, replayed};

/// The store's own statements: the floor must cost SQLite what the store costs it.
const BEGIN: &str = include_str!("../../../../../src/store/sql/sqlite/begin.sql");
const CLAIM: &str = include_str!("../../../../../src/store/sql/sqlite/take_over.sql");
const COMPLETE: &str = include_str!("../../../../../src/store/sql/sqlite/complete.sql");

const NOW: i64 = 1_800_000_000_000_000;
const LEASE: i64 = 30_000;
const GRACE: i64 = 60_000;
const RETENTION: i64 = 24 * 3600 * 1000;

/// What the middlewares make of 200 bytes, written by hand: the same statements with values of the same length, and
/// nothing else.
pub(in crate::serve) struct Floor {
    pool: SqlitePool,
    requests: AtomicU64,
}

impl Floor {
    /// With the settings of a store of its own.
    pub(in crate::serve) fn new(file: &str) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().test_before_acquire(false);
        Self {
            // One connection, or writers let each other sleep.
            pool: pool.max_connections(1).connect_lazy_with(options),
            requests: AtomicU64::new(1 << 60),
        }
    }

    fn token(&self) -> [u8; 16] {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        u128::from(number).to_be_bytes()
    }

    /// The record, if there is one.
    async fn begin(&self, key: &str, token: &[u8]) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let values = |sql: &'static str| {
            let query = query(sql).bind(key.to_owned()).bind(token.to_owned());
            let query = query.bind([0_u8; 32].as_slice()).bind(LEASE).bind(GRACE);
            query.bind(RETENTION).bind(0_i64).bind(1_i64).bind(NOW)
        };
        let row = values(BEGIN).fetch_one(&self.pool).await?;
        if row.get::<String, _>(0) == "finished" {
            return Ok(Some(row.get(7)));
        }
        values(CLAIM).fetch_one(&self.pool).await?;
        Ok(None)
    }

    async fn complete(&self, key: &str, token: &[u8], receipt: &str) -> Result<(), sqlx::Error> {
        let query = query(COMPLETE).bind(key).bind(token);
        let query = query.bind([0_u8; 32].as_slice()).bind(201_i64);
        let query = query.bind(HEADERS).bind(receipt.as_bytes());
        let query = query.bind(RETENTION).bind(RETENTION).bind(NOW);
        query.fetch_one(&self.pool).await.map(drop)
    }
}

/// A first run or a replay, by what the key has.
pub(in crate::serve) async fn keys(
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
    let found = floor.begin(&key, &token).await;
    if let Some(receipt) = found.map_err(ErrorInternalServerError)? {
        return Ok(replayed(receipt));
    }
    let receipt = receipt(&body);
    let completed = floor.complete(&key, &token, &receipt).await;
    completed.map_err(ErrorInternalServerError)?;
    Ok(created(receipt))
}
