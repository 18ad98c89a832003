//! The removal of rows whose keys are forgotten.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use actix_web_idempotency::store::{NewClaim, Record, Store, Tombstone};
use actix_web_idempotency_sqlx::PgStore;
use tokio::time::sleep;

use crate::support::{
    claims::{assert_finished, claim_under, complete, take},
    eventually,
    postgres::{Postgres, PostgresTable},
};

const SHORT: Duration = Duration::from_millis(1);

/// A store in the same table that looks at rows as soon as they are claimed.
fn that_purges_at_once(table: &PostgresTable) -> PgStore {
    let store = PgStore::builder(table.pool.clone()).table(&table.name);
    store.purge_after(Duration::ZERO).build().unwrap()
}

/// A claim that is forgotten at once.
fn forgotten(prefix: &str, n: u8) -> NewClaim {
    NewClaim {
        lease: SHORT,
        grace: SHORT,
        ..claim_under(prefix, n)
    }
}

#[tokio::test]
async fn purge_removes_what_is_forgotten_and_nothing_else() {
    let table = PostgresTable::new().await;
    let store = that_purges_at_once(&table);
    for n in 0..10 {
        take(&store, &forgotten("gone:", n)).await;
    }
    let (live, expired, kept, short) = (
        claim_under("live:", 1),
        NewClaim {
            lease: SHORT,
            ..claim_under("expired:", 1)
        },
        forgotten("kept:", 1),
        claim_under("short:", 1),
    );
    for claim in [&live, &expired, &kept, &short] {
        take(&store, claim).await;
    }
    // Kept for longer than its claim was, and for less.
    complete(&store, &kept).await;
    let record = Record::Tombstone(Tombstone {
        fingerprint: None,
        status: None,
        location: None,
    });
    (store.complete(&short.lease(), &record, SHORT).await).unwrap();
    sleep(SHORT * 20).await;

    assert_eq!(store.purge().await.unwrap(), 10);
    assert_finished(&store, &kept).await;
    let mut keys = table.keys();
    keys.sort();
    let expected = [&expired, &kept, &live, &short].map(|claim| claim.key.to_string());
    // The last one is forgotten, and looked at when its claim would have been.
    assert_eq!(keys, expected);
    assert_eq!(store.purge().await.unwrap(), 0);
}

#[tokio::test]
async fn row_that_is_postponed_is_purged_at_the_end_of_its_record() {
    let table = PostgresTable::new().await;
    let store = that_purges_at_once(&table);
    let claim = forgotten("a:", 1);
    take(&store, &claim).await;
    let record = Record::Tombstone(Tombstone {
        fingerprint: claim.fingerprint,
        status: Some(200),
        location: None,
    });
    let kept = Duration::from_millis(500);
    (store.complete(&claim.lease(), &record, kept).await).unwrap();
    sleep(SHORT * 5).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_finished(&store, &claim).await;
    sleep(kept).await;
    assert_eq!(store.purge().await.unwrap(), 1);
    assert!(table.keys().is_empty());
}

#[tokio::test]
async fn forgotten_row_that_is_not_purged_counts_as_vacant() {
    let table = PostgresTable::new().await;
    let store = &table.store;
    take(store, &forgotten("a:", 1)).await;
    sleep(SHORT * 5).await;
    let next = claim_under("a:", 1);
    take(store, &next).await;
    complete(store, &next).await;
    assert_finished(store, &next).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_eq!(table.keys().len(), 1);
}

/// The variable of the environment that says how many forgotten rows there are. With more than by default it is also
/// measured how long requests wait for the purge.
const ROWS: &str = "PURGE_ROWS";
const BY_DEFAULT: u64 = 5_000;
/// The longest that a request may wait for the purge.
const LONGEST: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purge_of_many_rows_goes_on_beside_requests() {
    let rows = std::env::var(ROWS).ok();
    let rows: u64 = rows.map_or(BY_DEFAULT, |rows| rows.parse().unwrap());
    let postgres = Postgres::start();
    let table = PostgresTable::on_server(&postgres).await;
    let forgotten = format!(
        "INSERT INTO {} SELECT 'old:' || lpad(to_hex(n), 64, '0'), '\\x00', NULL, 1, \
         now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour', 201, '', \
         convert_to(repeat('x', 200), 'UTF8') FROM generate_series(1, {rows}) AS n",
        table.name
    );
    postgres.query(&forgotten);

    let (before, _) = use_for(&table, sleep(Duration::from_secs(2))).await;
    let (during, removed) = use_for(&table, table.store.purge()).await;
    // In a minute the store has begun a purge of its own.
    assert!(removed.unwrap() <= rows);
    let left = format!("SELECT count(*) FROM {} WHERE key LIKE 'old:%'", table.name);
    eventually("all are removed", async || postgres.query(&left) == "0").await;
    println!("longest of a request: {before:?} before, {during:?} during the purge of {rows}");
    if rows > BY_DEFAULT {
        assert!(
            during < before + LONGEST,
            "{before:?} before, {during:?} during"
        );
    }
}

/// Uses the store until something else is done, and returns the longest that a request took.
async fn use_for<T>(table: &PostgresTable, other: impl Future<Output = T>) -> (Duration, T) {
    let longest = Cell::new(Duration::ZERO);
    let load: u64 = rand::random();
    let requests = async {
        for number in 0_u64.. {
            let claim = claim_under(&format!("{load}-{number}:"), 0);
            let begun = Instant::now();
            take(&table.store, &claim).await;
            complete(&table.store, &claim).await;
            longest.set(longest.get().max(begun.elapsed()));
            sleep(SHORT).await;
        }
    };
    tokio::select! {
        done = other => (longest.get(), done),
        () = requests => unreachable!("they do not end"),
    }
}
