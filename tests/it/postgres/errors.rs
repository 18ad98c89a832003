//! What a user reads when the database refuses.

use std::time::{Duration, Instant};

use actix_web_idempotency::store::{Begin, Store, StoreErrorKind};
use actix_web_idempotency_sqlx::{
    PgStore,
    sqlx::{PgPool, postgres::PgPoolOptions},
};

use crate::support::{
    GENEROUS,
    claims::{claim_under, take},
    eventually,
    postgres::{Postgres, PostgresTable},
};

/// Makes a claim that must fail without having run, and returns what it says.
async fn refused(store: &PgStore) -> String {
    let err = store.begin(&claim_under("a:", 9)).await.unwrap_err();
    assert!(!err.may_have_run(), "{err}");
    assert_eq!(err.kind(), StoreErrorKind::Unavailable);
    err.to_string()
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let postgres = Postgres::start();
    let store = PgStore::new(PgPool::connect_lazy(&postgres.url()).unwrap());
    let missing = refused(&store).await;
    assert!(
        missing.contains("the table idempotency_keys is missing; call the store's migrate()"),
        "{missing}"
    );

    store.migrate().await.unwrap();
    postgres.query("ALTER TABLE idempotency_keys RENAME COLUMN purge_at TO purged_at");
    let other = refused(&store).await;
    assert!(
        other.contains("compare it with the store's schema()"),
        "{other}"
    );
    postgres.query("ALTER TABLE idempotency_keys RENAME COLUMN purged_at TO purge_at");

    postgres.query("CREATE ROLE app LOGIN");
    let url = format!("postgres://app@127.0.0.1:{}/postgres", postgres.port());
    let app = PgStore::new(PgPool::connect_lazy(&url).unwrap());
    let rights = refused(&app).await;
    assert!(
        rights.contains("needs SELECT, INSERT, UPDATE and DELETE on the table idempotency_keys"),
        "{rights}"
    );
    take(&store, &claim_under("a:", 1)).await;
}

#[tokio::test]
async fn read_only_server_is_left_for_a_new_connection() {
    let postgres = Postgres::start();
    let pool = PgPoolOptions::new().max_connections(1);
    let store = PgStore::new(pool.connect_lazy(&postgres.url()).unwrap());
    store.migrate().await.unwrap();
    take(&store, &claim_under("a:", 1)).await;
    // Of the next connections; the one that there is becomes read-only, as after a failover.
    postgres.query("ALTER SYSTEM SET default_transaction_read_only = on");
    postgres.query("SELECT pg_reload_conf()");
    eventually("the server is read-only", async || {
        postgres.query("SHOW default_transaction_read_only") == "on"
    })
    .await;
    let read_only = refused(&store).await;
    assert!(read_only.contains("connect to the primary"), "{read_only}");

    // One call meets the old connection, which is closed, and goes on with a new one.
    postgres.query("ALTER SYSTEM RESET default_transaction_read_only");
    postgres.query("SELECT pg_reload_conf()");
    eventually("the server is writable", async || {
        postgres.query("SHOW default_transaction_read_only") == "off"
    })
    .await;
    take(&store, &claim_under("a:", 2)).await;
}

#[tokio::test]
async fn closed_connections_cost_no_call() {
    let table = PostgresTable::new().await;
    for n in 0..10 {
        take(&table.store, &claim_under("a:", n)).await;
        table.end_connections();
    }
}

#[tokio::test]
async fn call_that_is_given_up_leaves_its_connection_to_nobody() {
    // Both tables by way of one connection.
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy(&PostgresTable::server().url()).unwrap();
    let (locked, other) = (
        PostgresTable::on(pool.clone()).await,
        PostgresTable::on(pool).await,
    );
    let elsewhere = PgPool::connect_lazy(&PostgresTable::server().url()).unwrap();
    let mut transaction = elsewhere.begin().await.unwrap();
    locked.lock(&mut transaction).await;
    let begun = Instant::now();
    let claim = claim_under("a:", 1);
    let late = locked.with_short_timeout().begin(&claim).await.unwrap_err();
    assert_eq!(late.kind(), StoreErrorKind::Timeout);
    assert!(late.may_have_run());
    assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());
    // The statement still waits for its table; the next call does not wait for the statement.
    take(&other.store, &claim).await;

    transaction.rollback().await.unwrap();
    let met = locked.store.begin(&claim).await.unwrap();
    assert!(matches!(met, Begin::Claimed { .. }), "{met:?}");
}

#[tokio::test]
async fn statement_timeout_of_the_server_is_explained() {
    let table = PostgresTable::new().await;
    let mut transaction = table.pool.begin().await.unwrap();
    table.lock(&mut transaction).await;
    let url = format!(
        "{}?options=-c%20statement_timeout=50",
        PostgresTable::server().url()
    );
    let store = PgStore::builder(PgPool::connect_lazy(&url).unwrap());
    let store = store.table(&table.name).timeout(GENEROUS).build().unwrap();
    let cancelled = refused(&store).await;
    assert!(cancelled.contains("statement_timeout"), "{cancelled}");
}

#[tokio::test]
async fn server_that_is_away_is_reported_within_the_time_limit() {
    let mut postgres = Postgres::start();
    let store = PgStore::builder(PgPool::connect_lazy(&postgres.url()).unwrap());
    let store = store.timeout(Duration::from_millis(300)).build().unwrap();
    store.migrate().await.unwrap();
    take(&store, &claim_under("a:", 1)).await;
    postgres.kill();
    for _ in 0..2 {
        let begun = Instant::now();
        let away = store.begin(&claim_under("a:", 2)).await;
        assert!(away.is_err(), "{away:?}");
        assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());
    }
    postgres.restart();
    eventually("the store is back", async || {
        let met = store.begin(&claim_under("a:", 1)).await;
        matches!(met, Ok(Begin::InFlight { .. }))
    })
    .await;
}
