//! Rows that somebody's transaction has locked. No statement waits for them.

use std::time::{Duration, Instant};

use actix_web_idempotency::store::{Begin, Held, Inspect, NewClaim, Renewed, Store};
use actix_web_idempotency_sqlx::sqlx::{AssertSqlSafe, PgTransaction, query};
use tokio::time::sleep;

use crate::support::{
    claims::{LONG, assert_finished, claim_under, complete, take},
    postgres::PostgresTable,
};

/// Far less than the store's time limit, which would be the end of a call that waits.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Locks all rows, as a transaction does that completes one of them.
async fn locked(table: &PostgresTable) -> PgTransaction<'static> {
    let mut transaction = table.pool.begin().await.unwrap();
    let lock = format!("SELECT FROM {} FOR UPDATE", table.name);
    let locked = query(AssertSqlSafe(lock)).execute(&mut *transaction);
    locked.await.unwrap();
    transaction
}

fn expired(n: u8) -> NewClaim {
    NewClaim {
        lease: Duration::from_millis(1),
        ..claim_under("expired:", n)
    }
}

#[tokio::test]
async fn locked_row_delays_no_call() {
    let table = PostgresTable::new().await;
    let store = &table.store;
    let (claim, finished) = (claim_under("a:", 1), claim_under("a:", 2));
    for one in [&claim, &finished, &expired(1)] {
        take(store, one).await;
    }
    complete(store, &finished).await;
    sleep(Duration::from_millis(5)).await;

    let transaction = locked(&table).await;
    let begun = Instant::now();
    // Everything that only reads sees what was there before.
    let met = store.begin(&claim_under("a:", 1)).await.unwrap();
    assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
    assert_finished(store, &finished).await;
    // Its owner is there: it is about to complete it.
    let renewed = store.renew(&claim.lease()).await.unwrap();
    assert!(matches!(renewed, Renewed::Yes { .. }));
    // An expired claim whose row is locked is not expired: its owner is about to complete it.
    let met = store.begin(&expired(1)).await.unwrap();
    assert!(matches!(met, Begin::InFlight { .. }), "{met:?}");
    // What cannot be done now can be done later: nothing has run.
    let released = store.release(&claim.lease()).await.unwrap_err();
    let forced = store.force_release(&claim.key).await.unwrap_err();
    let deleted = store.delete(&finished.key).await.unwrap_err();
    for err in [released, forced, deleted] {
        assert!(!err.may_have_run());
        assert!(err.to_string().contains("has locked the row"), "{err}");
    }
    assert_eq!(store.purge().await.unwrap(), 0);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());

    transaction.rollback().await.unwrap();
    assert_eq!(store.release(&claim.lease()).await.unwrap(), Held::Yes);
    take(store, &expired(1)).await;
}

#[tokio::test]
async fn completion_of_a_locked_row_is_an_error_until_it_is_unlocked() {
    let table = PostgresTable::new().await;
    let claim = claim_under("a:", 1);
    take(&table.store, &claim).await;
    let transaction = locked(&table).await;
    let record =
        actix_web_idempotency::store::Record::Tombstone(actix_web_idempotency::store::Tombstone {
            fingerprint: claim.fingerprint,
            status: Some(200),
            location: None,
        });
    let completed = table.store.complete(&claim.lease(), &record, LONG).await;
    assert!(completed.is_err(), "{completed:?}");
    transaction.rollback().await.unwrap();
    complete(&table.store, &claim).await;
    assert_finished(&table.store, &claim).await;
}

#[tokio::test]
async fn renewal_of_other_claims_goes_on_beside_a_locked_row() {
    let table = PostgresTable::new().await;
    let (locked_claim, other) = (claim_under("a:", 1), claim_under("a:", 2));
    take(&table.store, &locked_claim).await;
    let _transaction = locked(&table).await;
    take(&table.store, &other).await;
    let (renewed, renewed_too) = (
        table.store.renew(&locked_claim.lease()).await.unwrap(),
        table.store.renew(&other.lease()).await.unwrap(),
    );
    assert!(matches!(renewed, Renewed::Yes { .. }));
    assert!(matches!(renewed_too, Renewed::Yes { .. }));
}
