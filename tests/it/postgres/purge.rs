//! The removal of rows whose keys are forgotten.

use std::time::Duration;

use actix_web_idempotency::store::{NewClaim, Record, Store, Tombstone};
use actix_web_idempotency_sqlx::PgStore;
use tokio::time::sleep;

use crate::support::{
    claims::{assert_finished, claim_under, complete, take},
    postgres::PostgresTable,
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
