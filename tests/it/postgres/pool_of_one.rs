//! A pool of one connection, and many requests. The pattern of <https://www.zero2prod.com>, chapter 10, beside it shows
//! that this is not easy: there, a duplicate waits for the original request with one connection, and then needs another.

use std::{sync::Arc, time::Duration};

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
    web,
};
use actix_web_idempotency::InFlight;
use actix_web_idempotency_sqlx::sqlx::{
    Error, PgPool, Row,
    postgres::{PgPoolOptions, PgRow},
    query, raw_sql,
};
use futures_util::future::join_all;

use super::till::{Till, pays};
use crate::support::{
    keys::keys_on,
    postgres::{Postgres, PostgresTable},
};

const KEYS: usize = 64;
const DUPLICATES: usize = 16;
/// Longer than it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

fn pool_of_one(postgres: &Postgres, patience: Duration) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.acquire_timeout(patience);
    pool.connect_lazy(&postgres.url()).unwrap()
}

#[actix_web::test]
async fn pool_of_one_serves_many_requests_and_their_duplicates() {
    let postgres = Postgres::start();
    postgres.query("CREATE TABLE payments (n integer)");
    let pool = pool_of_one(&postgres, LIMIT);
    let table = PostgresTable::on(pool.clone()).await;
    let keys = keys_on(table.with_timeout(Duration::from_secs(10)))
        .on_in_flight(InFlight::Wait(LIMIT.into()));
    let keys = keys.build().unwrap();
    let till = Till::new(pool, "payments".to_owned(), &Arc::default());
    let app = App::new().wrap(keys).app_data(web::Data::new(till));
    let app = init_service(app.default_service(web::to(pays))).await;

    let requests = (0..KEYS * DUPLICATES).map(async |n| {
        let key = format!("k-{}", n % KEYS);
        let request = TestRequest::post().insert_header(("idempotency-key", key));
        let response = call_service(&app, request.to_request()).await;
        let is_replay = response.headers().contains_key("idempotent-replayed");
        (response.status().as_u16(), is_replay)
    });
    let told = join_all(requests).await;
    let count = |wanted| told.iter().filter(|told| **told == wanted).count();
    assert_eq!(count((201, false)), KEYS, "{told:?}");
    assert_eq!(count((201, true)), KEYS * (DUPLICATES - 1), "{told:?}");
    let rows = postgres.query("SELECT count(*) FROM payments");
    assert_eq!(rows, KEYS.to_string());
}

/// Pays as the book does it: the record is inserted first, in the transaction of the rows, and a duplicate that has
/// met it there reads it by way of the pool.
async fn pays_by_the_book(pool: &PgPool, key: &str) -> Result<String, Error> {
    let mut transaction = pool.begin().await?;
    let claim = "INSERT INTO saved (key) VALUES ($1) ON CONFLICT DO NOTHING";
    let claimed = query(claim).bind(key).execute(&mut *transaction).await?;
    if claimed.rows_affected() == 0 {
        let saved = query("SELECT response FROM saved WHERE key = $1").bind(key);
        return saved
            .try_map(|row: PgRow| row.try_get(0))
            .fetch_one(pool)
            .await;
    }
    query("INSERT INTO payments VALUES (1)")
        .execute(&mut *transaction)
        .await?;
    let save = "UPDATE saved SET response = 'paid' WHERE key = $1";
    query(save).bind(key).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok("paid".to_owned())
}

#[tokio::test]
async fn pattern_of_the_book_locks_itself_out_of_a_pool_of_one() {
    let postgres = Postgres::start();
    let pool = pool_of_one(&postgres, Duration::from_secs(2));
    let tables = "CREATE TABLE saved (key text PRIMARY KEY, response text); CREATE TABLE payments (n integer)";
    raw_sql(tables).execute(&pool).await.unwrap();
    assert_eq!(pays_by_the_book(&pool, "a").await.unwrap(), "paid");
    let duplicate = pays_by_the_book(&pool, "a").await.unwrap_err();
    assert!(matches!(duplicate, Error::PoolTimedOut), "{duplicate}");
    // With a second connection it works.
    let two = PgPoolOptions::new().max_connections(2);
    let two = two.connect_lazy(&postgres.url()).unwrap();
    assert_eq!(pays_by_the_book(&two, "a").await.unwrap(), "paid");
}
