//! Claims that are not waited for until they are on disk. A standby that does not exist shows what is waited for.

use std::time::Duration;

use actix_web_idempotency::store::{
    Begin, NewClaim, Record, Store, StoreErrorKind, StoreKey, Tombstone,
};
use actix_web_idempotency_sqlx::PgStore;

use crate::support::{
    claims::claim_under,
    postgres::{Postgres, PostgresTable},
};

const LEASE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn claim_and_takeover_are_not_waited_for_and_everything_else_is() {
    let postgres = Postgres::start();
    let table = PostgresTable::on_server(&postgres).await;
    let with = |asynchronous| {
        let store = PgStore::builder(table.pool.clone()).table(&table.name);
        let store = store.timeout(Duration::from_secs(1));
        store.asynchronous_claims(asynchronous).build().unwrap()
    };
    postgres.query("ALTER SYSTEM SET synchronous_standby_names = 'nowhere'");
    postgres.query("SELECT pg_reload_conf()");
    let synchronous = with(false).begin(&claim_under("a:", 1)).await;
    assert_eq!(synchronous.unwrap_err().kind(), StoreErrorKind::Timeout);

    let store = with(true);
    for attempt in 1..=2 {
        let claim = NewClaim {
            grace: LEASE * 100,
            ..NewClaim::lock(StoreKey::new("a:", [2; 32]), LEASE)
        };
        let claimed = store.begin(&claim).await.unwrap();
        match claimed {
            Begin::Claimed { attempt: is, .. } => assert_eq!(is.get(), attempt),
            other => panic!("{other:?}"),
        }
        tokio::time::sleep(LEASE * 2).await;
    }
    let claim = claim_under("a:", 3);
    let Begin::Claimed { lease, .. } = store.begin(&claim).await.unwrap() else {
        panic!("it is vacant");
    };
    let record = Record::Tombstone(Tombstone {
        fingerprint: claim.fingerprint,
        status: None,
        location: None,
    });
    let recorded = store.complete(&lease, &record, LEASE).await;
    assert_eq!(recorded.unwrap_err().kind(), StoreErrorKind::Timeout);
}
