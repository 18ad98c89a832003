//! The connections that the store uses: few, shared, or by way of a pooler.

use std::time::Duration;

use actix_web_idempotency::{
    dedup::{DedupOutcome, Deduplicator},
    store::{Held, Inspect, Renewed, Store, conformance},
    testing::BackgroundHere,
};
use actix_web_idempotency_sqlx::{
    Commit, PgDatabase, PgStore,
    sqlx::{
        postgres::{PgPool, PgPoolOptions},
        raw_sql,
    },
};
use futures_util::future::join_all;
use tokio::{
    runtime,
    task::{LocalSet, spawn_local},
    time::{sleep, timeout},
};

use crate::support::{
    GENEROUS,
    claims::{assert_finished, claim_under, complete, take},
    pgbouncer::PgBouncer,
    postgres::{Postgres, PostgresTable},
};

/// A pool with so many connections at most.
fn pool_of(connections: u32, url: &str) -> PgPool {
    let options = PgPoolOptions::new().max_connections(connections);
    options.connect_lazy(url).unwrap()
}

#[tokio::test]
async fn store_on_a_pool_of_one_keeps_the_contract() {
    let table = PostgresTable::on(pool_of(1, &PostgresTable::server().url())).await;
    conformance::check(&table.store).await;
    conformance::check_inspect(&table.store).await;
}

#[tokio::test]
async fn store_on_serializable_connections_keeps_the_contract() {
    let url = format!(
        "{}?options=-c%20default_transaction_isolation=serializable",
        PostgresTable::server().url()
    );
    let table = PostgresTable::on(pool_of(10, &url)).await;
    conformance::check(&table.store).await;
    conformance::check_inspect(&table.store).await;
}

#[tokio::test]
async fn exhausted_pool_is_reported_and_leases_are_renewed() {
    let table = PostgresTable::on(pool_of(1, &PostgresTable::server().url())).await;
    let store = table.with_short_timeout();
    let running = claim_under("a:", 1);
    take(&store, &running).await;
    let _transaction = table.pool.begin().await.unwrap();

    let refused = store.begin(&claim_under("a:", 2)).await.unwrap_err();
    assert!(!refused.may_have_run());
    let refused = refused.to_string();
    assert!(
        refused.contains("all 1 of the pool are in use"),
        "{refused}"
    );
    let renewed = store.renew(&running.lease()).await.unwrap();
    assert!(matches!(renewed, Renewed::Yes { .. }));
}

#[tokio::test]
async fn worker_that_ends_in_the_middle_of_a_call_does_not_panic() {
    let table = PostgresTable::new().await;
    let store = table.with_short_timeout();
    let mut transaction = table.pool.begin().await.unwrap();
    table.lock(&mut transaction).await;
    // As actix does: what is left of a worker is dropped outside of its runtime.
    let worker = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let (runtime, tasks) = (runtime.unwrap(), LocalSet::new());
        tasks.block_on(&runtime, async {
            spawn_local(async move { store.begin(&claim_under("a:", 1)).await });
            sleep(Duration::from_millis(100)).await;
        });
        drop(tasks);
    });
    assert!(worker.join().is_ok());
    transaction.rollback().await.unwrap();
    take(&table.store, &claim_under("a:", 2)).await;
}

#[tokio::test]
async fn renewals_go_on_when_the_runtime_of_their_task_has_ended() {
    let table = PostgresTable::new().await;
    let (store, claim) = (table.with_short_timeout(), claim_under("a:", 1));
    take(&store, &claim).await;
    let mut transaction = table.pool.begin().await.unwrap();
    table.lock(&mut transaction).await;
    let (other, lease) = (store.clone(), claim.lease());
    let worker = std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async {
            let _here = BackgroundHere::here();
            let renewal = timeout(Duration::from_millis(50), other.renew(&lease));
            assert!(renewal.await.is_err(), "the table is locked");
        });
    });
    assert!(worker.join().is_ok());
    transaction.rollback().await.unwrap();
    let renewed = store.renew(&claim.lease()).await.unwrap();
    assert!(matches!(renewed, Renewed::Yes { .. }));
}

#[tokio::test]
async fn eight_clients_of_a_transaction_pooler_with_two_connections_keep_the_contract() {
    let postgres = Postgres::start();
    let pooler = PgBouncer::start(&postgres, 2);
    let client = |connections| {
        let database = PgDatabase::new(pool_of(connections, &pooler.url()));
        let store = PgStore::builder(database.transaction_pooler(true)).timeout(GENEROUS);
        store.build().unwrap()
    };
    let store = client(4);
    store.migrate().await.unwrap();
    // Seven others that send other statements meanwhile.
    let others: Vec<_> = (0..7)
        .map(|number| tokio::spawn(use_again_and_again(client(1), number)))
        .collect();
    conformance::check(&store).await;
    conformance::check_inspect(&store).await;
    for other in others {
        assert!(!other.is_finished(), "{:?}", other.await);
        other.abort();
    }
}

#[tokio::test]
async fn commits_through_a_transaction_pooler_are_not_prepared() {
    let postgres = Postgres::start();
    let pooler = PgBouncer::start(&postgres, 2);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool_of(1, &pooler.url());
            let database = PgDatabase::new(pool.clone()).transaction_pooler(true);
            let store = PgStore::builder(database).timeout(GENEROUS);
            (pool, Deduplicator::new(store.build().unwrap()))
        })
        .collect();
    postgres.query(PgStore::SCHEMA);
    postgres.query("CREATE TABLE rows_of_all (n integer)");
    let commits = clients
        .iter()
        .enumerate()
        .map(async |(client, (pool, deduplicator))| {
            for n in 0..10 {
                let key = format!("{client}-{n}");
                let DedupOutcome::Execute(execution) =
                    deduplicator.claim(&key, None).await.unwrap()
                else {
                    panic!("{key} is new");
                };
                let mut transaction = pool.begin().await.unwrap();
                let row = raw_sql("INSERT INTO rows_of_all VALUES (1)").execute(&mut *transaction);
                row.await.unwrap();
                execution.commit(transaction, Vec::new()).await.unwrap();
            }
        });
    join_all(commits).await;
    assert_eq!(postgres.query("SELECT count(*) FROM rows_of_all"), "80");
    let recorded = "SELECT count(*) FROM idempotency_keys WHERE status IS NOT NULL";
    assert_eq!(postgres.query(recorded), "80");
}

/// Claims, renews, looks up and completes or releases.
async fn use_again_and_again(store: PgStore, number: usize) {
    for n in (0..=u8::MAX).cycle() {
        let claim = claim_under(&format!("{number}:"), n);
        take(&store, &claim).await;
        let renewed = store.renew(&claim.lease()).await.unwrap();
        assert!(matches!(renewed, Renewed::Yes { .. }));
        if number.is_multiple_of(2) {
            complete(&store, &claim).await;
            assert_finished(&store, &claim).await;
            assert!(store.delete(&claim.key).await.unwrap());
        } else {
            assert!(store.look_up(&claim.key).await.unwrap().is_some());
            assert_eq!(store.release(&claim.lease()).await.unwrap(), Held::Yes);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn transaction_pooler_without_its_setting_works_or_is_explained() {
    let postgres = Postgres::start();
    let pooler = PgBouncer::start(&postgres, 2);
    let clients: Vec<_> = (0..8)
        .map(|_| PgStore::new(pool_of(1, &pooler.url())))
        .collect();
    clients[0].migrate().await.unwrap();
    // Poolers before 1.21 mix up whose statement is prepared where.
    let calls = clients.iter().enumerate().map(async |(number, store)| {
        for n in 0..10 {
            let claim = claim_under(&format!("{number}:"), n);
            if let Err(err) = store.begin(&claim).await {
                return Some(err.to_string());
            }
        }
        None
    });
    for err in join_all(calls).await.into_iter().flatten() {
        assert!(err.contains("switch transaction_pooler on"), "{err}");
    }
}
