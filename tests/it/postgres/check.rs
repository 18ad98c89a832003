//! `SqlStore::check`: what it finds, and what it calls an error.

use actix_web_idempotency::store::{Store, sql::FindingKind};
use actix_web_idempotency_sqlx::{PgStore, sqlx::PgPool};

use crate::support::{
    claims::claim_under,
    postgres::{Postgres, PostgresTable},
};

async fn kinds(store: &PgStore) -> Vec<FindingKind> {
    let findings = store.check().await.unwrap();
    findings.iter().map(|finding| finding.kind()).collect()
}

#[tokio::test]
async fn check_of_a_durable_table_finds_nothing() {
    // The shared server does not wait for the disk, and says so.
    let table = PostgresTable::new().await;
    assert_eq!(kinds(&table.store).await, [FindingKind::NotDurable]);
    assert!(table.keys().is_empty());

    let postgres = Postgres::with(&["-c", "fsync=on"]);
    let store = PgStore::new(PgPool::connect_lazy(&postgres.url()).unwrap());
    store.migrate().await.unwrap();
    assert_eq!(kinds(&store).await, []);
}

#[tokio::test]
async fn check_finds_what_may_lose_records() {
    let postgres = Postgres::with(&["-c", "fsync=on", "-c", "synchronous_commit=off"]);
    let store = PgStore::new(PgPool::connect_lazy(&postgres.url()).unwrap());
    store.migrate().await.unwrap();
    assert_eq!(kinds(&store).await, [FindingKind::NotDurable]);
    postgres.query("ALTER TABLE idempotency_keys SET UNLOGGED");
    postgres.query("COMMENT ON TABLE idempotency_keys IS NULL");
    assert_eq!(
        kinds(&store).await,
        [
            FindingKind::UnknownVersion,
            FindingKind::NotDurable,
            FindingKind::NotDurable
        ]
    );
}

#[tokio::test]
async fn check_says_what_is_missing() {
    let postgres = Postgres::start();
    let store = PgStore::new(PgPool::connect_lazy(&postgres.url()).unwrap());
    let missing = store.check().await.unwrap_err().to_string();
    assert!(
        missing.contains("the table idempotency_keys is missing"),
        "{missing}"
    );
    store.migrate().await.unwrap();
    store.check().await.unwrap();

    postgres.query("COMMENT ON TABLE idempotency_keys IS 'actix-web-idempotency, schema 99'");
    let other = store.check().await.unwrap_err().to_string();
    assert!(other.contains("schema 99"), "{other}");
    store.migrate().await.unwrap();

    postgres.query("CREATE ROLE app LOGIN; GRANT SELECT, INSERT ON idempotency_keys TO app");
    let url = format!("postgres://app@127.0.0.1:{}/postgres", postgres.port());
    let app = PgStore::new(PgPool::connect_lazy(&url).unwrap());
    let rights = app.check().await.unwrap_err().to_string();
    assert!(rights.contains("UPDATE, DELETE is missing"), "{rights}");
    let rights = app.begin(&claim_under("a:", 1)).await;
    assert!(rights.is_ok(), "a claim only reads and inserts: {rights:?}");
}
