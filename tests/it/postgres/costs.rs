//! What each path costs PostgreSQL: round trips and statements as the server receives them, what it logs, and what
//! it has to tidy up.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{
    Claim,
    store::{Begin, Store},
};
use actix_web_idempotency_sqlx::{
    Commit, PgStore,
    sqlx::{PgPool, postgres::PgPoolOptions, query},
};
use futures_util::future::join_all;
use tokio::time::sleep;

use crate::{
    serve,
    support::{
        GENEROUS,
        claims::{assert_finished, claim_under, complete, take, watch},
        eventually,
        gate::Gate,
        keys::{answer, keys_on, pay},
        postgres::Postgres,
        problems::{ProblemKind, assert_refused},
        wiretap::{Counts, Wiretap},
    },
};

/// A server that does nothing of its own accord.
fn quiet() -> Postgres {
    Postgres::with(&[
        "-c",
        "autovacuum=off",
        "-c",
        "wal_level=minimal",
        "-c",
        "max_wal_senders=0",
        "-c",
        "checkpoint_timeout=1d",
    ])
}

async fn store_at(url: &str) -> PgStore {
    let pool = PgPoolOptions::new().max_connections(1);
    let store = PgStore::builder(pool.connect_lazy(url).unwrap()).timeout(GENEROUS);
    let store = store.build().unwrap();
    store.migrate().await.unwrap();
    store
}

const fn statements(number: usize) -> Counts {
    Counts {
        statements: number,
        round_trips: number,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_takes_one_round_trip_per_statement() {
    let postgres = quiet();
    let wire = Wiretap::on(&postgres).await;
    let keys = keys_on(store_at(&wire.url()).await).build().unwrap();
    let gate = Gate::closed();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        let handler = async |gate: web::Data<Gate>| {
            gate.pass().await;
            HttpResponse::Created().finish()
        };
        serve!(
            App::new()
                .wrap(keys.clone())
                .app_data(web::Data::new(gate.clone()))
                .default_service(web::to(handler))
        )
    };
    // Statements are prepared by the first request that needs them.
    gate.let_go(1);
    assert_eq!(answer(pay(&server, "warm", "x")).await.status, 201);

    wire.take();
    gate.let_go(1);
    assert_eq!(answer(pay(&server, "new", "x")).await.status, 201);
    assert_eq!(wire.take(), statements(2), "a first run");

    assert!(answer(pay(&server, "new", "x")).await.is_replay);
    assert_eq!(wire.take(), statements(1), "a replay");

    assert_refused(pay(&server, "new", "y"), ProblemKind::KeyReused).await;
    assert_eq!(wire.take(), statements(1), "another request");

    let first = tokio::spawn(answer(pay(&server, "in-flight", "x")));
    gate.wait_for_entered(3).await;
    wire.take();
    assert_refused(pay(&server, "in-flight", "x"), ProblemKind::InFlight).await;
    assert_eq!(wire.take(), statements(1), "a refused duplicate");
    gate.let_go(1);
    assert_eq!(first.await.unwrap().status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn committed_request_takes_four_round_trips_and_its_own() {
    let postgres = quiet();
    let wire = Wiretap::on(&postgres).await;
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy(&wire.url()).unwrap();
    let store = PgStore::builder(pool.clone()).timeout(GENEROUS);
    let store = store.build().unwrap();
    store.migrate().await.unwrap();
    let keys = keys_on(store).build().unwrap();
    let handler = async |claim: Claim, pool: web::Data<PgPool>| {
        let mut tx = pool.begin().await.unwrap();
        for _statement in 0..3 {
            query("SELECT 1").execute(&mut *tx).await.unwrap();
        }
        claim.commit(tx, HttpResponse::Created().finish()).await
    };
    let lent = web::Data::new(pool.clone());
    let server = serve!(
        1,
        App::new()
            .wrap(keys.clone())
            .app_data(lent.clone())
            .default_service(web::to(handler))
    );
    assert_eq!(answer(pay(&server, "warm", "x")).await.status, 201);
    // What was prepared stays so.
    eventually("the connection is back", async || pool.num_idle() == 1).await;
    wire.take();
    assert_eq!(answer(pay(&server, "new", "x")).await.status, 201);
    // Claim, BEGIN, three of the handler, completion, COMMIT. sqlx tests the connection that it lends the handler.
    let counts = wire.take();
    assert_eq!(counts.statements, 4 + 3);
    assert_eq!(counts.round_trips, 4 + 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_of_a_process_are_one_statement() {
    let postgres = quiet();
    let wire = Wiretap::on(&postgres).await;
    let store = store_at(&wire.url()).await;
    let claims: Vec<_> = (0..100).map(|n| claim_under("a:", n)).collect();
    for claim in &claims {
        take(&store, claim).await;
    }
    store.renew(&claims[0].lease()).await.unwrap();
    wire.take();
    let leases: Vec<_> = claims.iter().map(|claim| claim.lease()).collect();
    join_all(leases.iter().map(|lease| store.renew(lease))).await;
    let renewals = wire.take().statements;
    // Those that come while the first is under way go with the next.
    assert!(renewals <= 3, "{renewals} statements for 100 renewals");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_duplicates_ask_together() {
    let postgres = quiet();
    let wire = Wiretap::on(&postgres).await;
    let (store, other) = (store_at(&wire.url()).await, store_at(&postgres.url()).await);
    let claims: Vec<_> = (0..50).map(|n| claim_under("a:", n)).collect();
    for claim in &claims {
        take(&store, claim).await;
    }
    wire.take();
    let watches: Vec<_> = claims.iter().map(|claim| watch(&store, claim)).collect();
    sleep(Duration::from_millis(1200)).await;
    let asked = wire.take().statements;
    // Every 10 ms for 200 ms, every 50 ms for the rest.
    assert!((2..=45).contains(&asked), "{asked} statements");

    // As of another process: nothing is told.
    for claim in &claims {
        complete(&other, claim).await;
    }
    for watch in watches {
        watch.await.unwrap().unwrap();
    }
    // Nobody waits any more, and nothing is asked.
    sleep(Duration::from_millis(200)).await;
    wire.take();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(wire.take(), statements(0));
}

/// The bytes that the server has logged.
fn logged(postgres: &Postgres) -> u64 {
    let position = postgres.query("SELECT pg_current_wal_insert_lsn() - '0/0'");
    position.parse().unwrap()
}

#[tokio::test]
async fn first_requests_are_updated_in_place_and_replays_log_nothing() {
    const REQUESTS: u64 = 1000;
    let postgres = quiet();
    let store = store_at(&postgres.url()).await;
    let claims: Vec<_> = (0..REQUESTS)
        .map(|n| claim_under(&format!("{n}:"), 0))
        .collect();
    let before = logged(&postgres);
    for claim in &claims {
        take(&store, claim).await;
        complete(&store, claim).await;
    }
    let each = (logged(&postgres) - before) / REQUESTS;
    assert!(each <= 1300, "{each} bytes logged for each first request");

    // The first to read a page may tidy it up.
    for claim in &claims {
        assert_finished(&store, claim).await;
    }
    let before = logged(&postgres);
    for claim in &claims {
        let again = store.begin(&again(claim)).await.unwrap();
        assert!(matches!(again, Begin::Finished(_)), "{again:?}");
    }
    assert_eq!(logged(&postgres) - before, 0, "bytes logged for replays");

    let updates = || {
        let counts = postgres.query(
            "SELECT n_tup_upd || ' ' || n_tup_hot_upd FROM pg_stat_user_tables \
             WHERE relname = 'idempotency_keys'",
        );
        let (all, in_place) = counts.split_once(' ').unwrap();
        (
            all.parse::<u64>().unwrap(),
            in_place.parse::<u64>().unwrap(),
        )
    };
    eventually("the statistics are complete", async || {
        updates().0 == REQUESTS
    })
    .await;
    let (all, in_place) = updates();
    assert!(
        in_place * 10 > all * 9,
        "{in_place} of {all} updates in place"
    );
    println!("{each} bytes logged for each first request, {in_place} of {all} updates in place");
}

/// The same request again, from another client.
fn again(claim: &actix_web_idempotency::store::NewClaim) -> actix_web_idempotency::store::NewClaim {
    actix_web_idempotency::store::NewClaim {
        token: actix_web_idempotency::store::OwnerToken::random(),
        ..claim.clone()
    }
}
