//! What users read when the database cannot be used, and what holds then.

use std::{
    fs,
    time::{Duration, Instant},
};

use actix_web_idempotency::store::{Begin, Store, StoreError, StoreErrorKind, sql::FindingKind};
use actix_web_idempotency_sqlx::{
    SqliteDatabase, SqliteStore,
    sqlx::{
        SqlitePool, raw_sql,
        sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    },
};

use crate::support::{
    GENEROUS,
    claims::{assert_finished, claim_under, complete, take},
    sqlite::SqliteFile,
};

async fn refused(store: &SqliteStore, n: u8) -> StoreError {
    let begun = Instant::now();
    let refused = store.begin(&claim_under("a:", n)).await.unwrap_err();
    assert!(begun.elapsed() < GENEROUS * 2, "{:?}", begun.elapsed());
    refused
}

#[tokio::test]
async fn missing_and_other_tables_are_explained() {
    let file = SqliteFile::new().await;
    let missing = SqliteStore::builder(SqliteDatabase::open(file.path())).table("other");
    let missing = missing.build().unwrap();
    let said = refused(&missing, 1).await.to_string();
    assert!(said.contains("call the store's migrate()"), "{said}");
    missing.migrate().await.unwrap();
    missing.migrate().await.unwrap();
    take(&missing, &claim_under("a:", 1)).await;
    assert!(missing.check().await.unwrap().is_empty());
    let with_schema = SqliteStore::builder(SqliteDatabase::open(file.path())).table("main.keys");
    let said = with_schema.build().unwrap_err().to_string();
    assert!(said.contains("without a schema in SQLite"), "{said}");
}

#[tokio::test]
async fn folder_that_is_missing_is_explained() {
    let file = SqliteFile::new().await;
    let nowhere = file.path().with_file_name("missing").join("keys.db");
    let store = SqliteStore::open(nowhere);
    let refused = refused(&store, 1).await;
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let said = refused.to_string();
    assert!(said.contains("unable to open database file"), "{said}");
}

/// Another process writes for longer than the store waits. Replays are read beside it, and nothing is left behind.
#[tokio::test]
async fn writer_that_holds_the_file_stops_claims_for_as_long_and_no_replay() {
    let file = SqliteFile::new().await;
    let (done, next) = (claim_under("a:", 1), claim_under("a:", 2));
    take(&file.store, &done).await;
    complete(&file.store, &done).await;
    let other = SqlitePool::connect_lazy(&file.url()).unwrap();
    let writer = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let store = SqliteStore::builder(SqliteDatabase::open(file.path()));
    let store = store.timeout(Duration::from_secs(1)).build().unwrap();
    let late = refused(&store, 2).await;
    assert_eq!(late.kind(), StoreErrorKind::Unavailable);
    assert!(!late.may_have_run(), "{late}");
    let said = late.to_string();
    assert!(
        said.contains("another connection has held the database"),
        "{said}"
    );
    assert_finished(&store, &done).await;

    // One that ends within the store's time limit costs no request.
    let (claimed, ()) = tokio::join!(file.store.begin(&next), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        writer.rollback().await.unwrap();
    });
    assert!(matches!(claimed.unwrap(), Begin::Claimed { .. }));
}

#[tokio::test]
async fn read_only_database_is_explained_and_replays() {
    let file = SqliteFile::new().await;
    let done = claim_under("a:", 1);
    take(&file.store, &done).await;
    complete(&file.store, &done).await;
    let options = SqliteConnectOptions::new()
        .filename(file.path())
        .read_only(true);
    let pool = SqlitePoolOptions::new().connect_lazy_with(options);
    let store = SqliteStore::new(pool);
    assert_finished(&store, &done).await;
    let said = refused(&store, 2).await.to_string();
    assert!(said.contains("the database is read-only"), "{said}");
    assert!(store.check().await.is_err());
}

/// By the size that SQLite is allowed, which is refused as a full disk is.
#[tokio::test]
async fn full_disk_is_explained_and_claims_go_on_when_there_is_room() {
    let file = SqliteFile::new().await;
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy(&file.url()).unwrap();
    let limit = async |pages: &str| {
        let limit = format!("PRAGMA max_page_count = {pages}");
        let limit = actix_web_idempotency_sqlx::sqlx::AssertSqlSafe(limit);
        raw_sql(limit).execute(&pool).await.unwrap();
    };
    let store = SqliteStore::new(pool.clone());
    let done = claim_under("a:", 1);
    take(&store, &done).await;
    complete(&store, &done).await;
    limit("1").await; // as many as there are
    let mut full = None;
    for n in 2..u8::MAX {
        if let Err(err) = store.begin(&claim_under("a:", n)).await {
            full = Some((n, err));
            break;
        }
    }
    let (n, err) = full.expect("there is no room for that many");
    assert!(err.to_string().contains("the disk is full"), "{err}");
    assert!(!err.may_have_run());
    assert_finished(&store, &done).await;
    limit("1000000").await;
    take(&store, &claim_under("a:", n)).await;
}

#[tokio::test]
async fn damaged_file_is_explained() {
    let file = SqliteFile::new().await;
    let path = file.path().with_file_name("damaged.db");
    fs::write(&path, [b'x'; 8192]).unwrap();
    let said = refused(&SqliteStore::open(path), 1).await.to_string();
    assert!(said.contains("file is not a database"), "{said}");
}

/// Nothing can be told any more to those who have it open; a new connection finds a new file.
#[tokio::test]
async fn removed_file_is_an_error_of_writers_and_not_a_second_run() {
    let file = SqliteFile::new().await;
    let held = claim_under("a:", 1);
    take(&file.store, &held).await;
    for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
        let _ = fs::remove_file(file.path().with_file_name(name));
    }
    let met = file.store.begin(&claim_under("a:", 1)).await;
    assert!(
        !matches!(met, Ok(Begin::Claimed { .. })),
        "the claim that was made still counts, or nothing does: {met:?}"
    );
    let other = file.store.begin(&claim_under("a:", 2)).await;
    println!("a claim after the removal: {other:?}");
}

#[tokio::test]
async fn check_finds_settings_that_forget_or_block() {
    let file = SqliteFile::new().await;
    assert!(file.store.check().await.unwrap().is_empty());
    let options = SqliteConnectOptions::new().filename(file.path());
    let hasty = options.pragma("synchronous", "OFF");
    let hasty = SqlitePoolOptions::new().connect_lazy_with(hasty);
    let kinds = |findings: Vec<actix_web_idempotency::store::sql::Finding>| {
        let kinds = findings.iter().map(|finding| finding.kind());
        kinds.collect::<Vec<_>>()
    };
    let findings = SqliteStore::new(hasty).check().await.unwrap();
    assert_eq!(kinds(findings), [FindingKind::NotDurable]);

    let memory = SqlitePool::connect_lazy("sqlite::memory:").unwrap();
    let store = SqliteStore::new(memory.clone());
    store.migrate().await.unwrap();
    let findings = store.check().await.unwrap();
    assert_eq!(kinds(findings), [FindingKind::NotDurable]);
}
