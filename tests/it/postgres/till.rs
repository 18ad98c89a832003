use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use actix_web::{App, Error, HttpResponse, error::ErrorServiceUnavailable, web};
use actix_web_idempotency::{Claim, Idempotency};
use actix_web_idempotency_sqlx::{
    Commit,
    sqlx::{AssertSqlSafe, PgPool, query},
};

use crate::{serve, support::server::Server};

/// A handler that writes a row of a new number, and responds with that number, and what it needs for that.
#[derive(Clone)]
pub(super) struct Till {
    pool: PgPool,
    /// The table of its rows.
    rows: String,
    number: Arc<AtomicI32>,
}

impl Till {
    pub(super) fn new(pool: PgPool, rows: String, number: &Arc<AtomicI32>) -> Self {
        Self {
            pool,
            rows,
            number: Arc::clone(number),
        }
    }

    pub(super) fn server(&self, keys: &Idempotency) -> Server {
        let (keys, till) = (keys.clone(), web::Data::new(self.clone()));
        serve!(
            1,
            App::new()
                .wrap(keys.clone())
                .app_data(till.clone())
                .default_service(web::to(pays))
        )
    }
}

pub(super) async fn pays(claim: Claim, till: web::Data<Till>) -> Result<HttpResponse, Error> {
    let number = till.number.fetch_add(1, Ordering::SeqCst);
    let mut tx = till.pool.begin().await.map_err(ErrorServiceUnavailable)?;
    let row = format!("INSERT INTO {} VALUES ({number})", till.rows);
    let row = query(AssertSqlSafe(row)).execute(&mut *tx);
    row.await.map_err(ErrorServiceUnavailable)?;
    let response = HttpResponse::Created().body(number.to_string());
    Ok(claim.commit(tx, response).await?)
}
