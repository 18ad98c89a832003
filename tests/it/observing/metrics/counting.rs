//! That the right things are counted, by a recorder for the whole process. Each test has a guard with
//! a name of its own.

use std::{collections::BTreeSet, sync::OnceLock, time::Duration};

use actix_web::{App, Error, HttpResponse, error::ErrorInternalServerError, http::Method, web};
use actix_web_idempotency::{
    Claim, MemoryStore,
    dedup::{DedupOutcome, Deduplicator},
    metrics::{name, observer},
    store::Inspect,
    testing::{Call, Fault, FaultyStore},
};
use actix_web_idempotency_sqlx::{
    Commit,
    sqlx::{PgPool, query},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::timeout;

use super::scrape::Scrape;
use crate::{
    serve,
    support::{
        detour::Detour,
        eventually,
        gate::{Gate, gated},
        keys::{answer, keys_on, memory_keys, numbered, pay},
        locks::lock_on,
        postgres::{Postgres, PostgresTable},
        server::post,
    },
};

/// The process has one recorder.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let all = Matcher::Prefix("idempotency_".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(all, &[1.0]);
        builder.unwrap().install_recorder().unwrap()
    })
}

fn scrape() -> Scrape {
    Scrape::new(recorder().render())
}

/// What has been counted of a guard, once there are as many series as are expected.
async fn counted<const N: usize>(guard: &str, expected: [(&str, f64); N]) {
    eventually(guard, async || scrape().counted(guard).len() >= N).await;
    let expected = expected.map(|(series, value)| (series.to_owned(), value));
    assert_eq!(scrape().counted(guard), expected, "{guard}");
}

#[tokio::test]
async fn a_run_its_replay_and_two_refusals() {
    recorder();
    let keys = memory_keys().on_event(observer("keys")).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    for (key, body) in [("a", "tea"), ("a", "tea"), ("a", "coffee"), ("a b", "tea")] {
        answer(pay(&server, key, body)).await;
    }
    counted(
        "keys",
        [
            (r#"endings_total{ending="recorded"}"#, 1.0),
            ("handler_duration_seconds_count", 1.0),
            ("recorded_body_bytes_count", 1.0),
            (r#"refusals_total{problem="key-invalid"}"#, 1.0),
            (r#"refusals_total{problem="key-reused"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="executed"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="invalid"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="mismatch"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="replayed"}"#, 1.0),
            (r#"requests_total{outcome="executed"}"#, 1.0),
            (r#"requests_total{outcome="invalid"}"#, 1.0),
            (r#"requests_total{outcome="mismatch"}"#, 1.0),
            (r#"requests_total{outcome="replayed"}"#, 1.0),
            (r#"store_duration_seconds_count{step="claiming"}"#, 3.0),
            (r#"store_duration_seconds_count{step="settling"}"#, 1.0),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_lock_and_who_meets_it() {
    recorder();
    let lock = lock_on(MemoryStore::new()).on_event(observer("lock"));
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    let second = post(&server, "/", "x").send().await.unwrap();
    assert_eq!(second.status(), 409);
    gate.let_go(1);
    first.await.unwrap().unwrap();
    counted(
        "lock",
        [
            (r#"endings_total{ending="freed"}"#, 1.0),
            ("handler_duration_seconds_count", 1.0),
            (r#"refusals_total{problem="busy"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="executed"}"#, 1.0),
            (
                r#"request_duration_seconds_count{outcome="in_flight"}"#,
                1.0,
            ),
            (r#"requests_total{outcome="executed"}"#, 1.0),
            (r#"requests_total{outcome="in_flight"}"#, 1.0),
            (r#"store_duration_seconds_count{step="claiming"}"#, 2.0),
            (r#"store_duration_seconds_count{step="settling"}"#, 1.0),
        ],
    )
    .await;
}

#[tokio::test]
async fn work_that_is_dropped_and_work_that_finds_no_store() {
    recorder();
    let store = FaultyStore::new(MemoryStore::new());
    let deduplicator = Deduplicator::builder(store.clone()).on_event(observer("once"));
    let deduplicator = deduplicator.build().unwrap();
    let DedupOutcome::Execute(run) = deduplicator.claim("a", None).await.unwrap() else {
        panic!("it is new");
    };
    drop(run);
    store.next_n(1, Call::Begin, Fault::Unavailable);
    deduplicator.claim("b", None).await.unwrap_err();
    counted(
        "once",
        [
            ("cut_off_total", 1.0),
            (r#"endings_total{ending="freed"}"#, 1.0),
            (r#"request_duration_seconds_count{outcome="executed"}"#, 1.0),
            (
                r#"request_duration_seconds_count{outcome="store_error"}"#,
                1.0,
            ),
            (r#"requests_total{outcome="executed"}"#, 1.0),
            (r#"requests_total{outcome="store_error"}"#, 1.0),
            (r#"store_duration_seconds_count{step="claiming"}"#, 2.0),
            (r#"store_errors_total{error="unavailable"}"#, 1.0),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_key_that_is_taken_from_its_handler() {
    recorder();
    let lease = Duration::from_millis(200);
    let store = MemoryStore::new();
    let keys = keys_on(store.clone()).lease(lease).retention(lease);
    let keys = keys.on_event(observer("taken")).build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
    assert!(store.delete(&key).await.unwrap());
    let lost = r#"idempotency_incidents_total{guard="taken",incident="lost_lease"}"#;
    eventually("an incident", async || scrape().series()[lost] == 1.0).await;
    gate.let_go(1);
    first.await.unwrap();
}

/// The pools of the application.
struct Pools {
    direct: PgPool,
    /// The reply to COMMIT does not come.
    held_back: PgPool,
}

/// A handler whose transaction ends in the way that the path names.
async fn commits(
    ending: web::Path<String>,
    claim: Claim,
    pools: web::Data<Pools>,
) -> Result<HttpResponse, Error> {
    let begin = async |pool: &PgPool| pool.begin().await.map_err(ErrorInternalServerError);
    let mut transaction = begin(&pools.direct).await?;
    let paid = HttpResponse::Created().body("paid");
    match ending.as_str() {
        "committed" => Ok(claim.commit(transaction, paid).await?),
        "rolled-back" => {
            let failed = query("SELECT 1 / 0").execute(&mut *transaction).await;
            failed.unwrap_err();
            Ok(claim.commit(transaction, paid).await?)
        }
        "in-doubt" => {
            let commit = claim.commit(begin(&pools.held_back).await?, paid);
            timeout(Duration::from_millis(100), commit)
                .await
                .unwrap_err();
            Ok(HttpResponse::ServiceUnavailable().finish())
        }
        "forgotten" => {
            transaction.commit().await.unwrap();
            Ok(paid)
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_and_their_incidents_are_counted() {
    recorder();
    let table = PostgresTable::new().await;
    let detour = Detour::to(PostgresTable::server().port(), "COMMIT").await;
    let pools = web::Data::new(Pools {
        direct: table.pool.clone(),
        held_back: PgPool::connect_lazy(&Postgres::url_at(detour.port())).unwrap(),
    });
    let keys = keys_on(table.store).on_event(observer("commits"));
    let keys = keys.build().unwrap();
    let server = serve!(
        1,
        App::new()
            .wrap(keys.clone())
            .app_data(pools.clone())
            .route("/{ending}", web::post().to(commits))
    );
    for (ending, status) in [
        ("committed", 201),
        ("rolled-back", 503),
        ("in-doubt", 503),
        ("forgotten", 201),
    ] {
        let request = post(&server, &format!("/{ending}"), "x").header("idempotency-key", "a");
        assert_eq!(answer(request).await.status, status, "{ending}");
    }
    for series in [
        r#"endings_total{guard="commits",ending="committed"}"#,
        r#"endings_total{guard="commits",ending="recorded"}"#,
        r#"incidents_total{guard="commits",incident="commit_rolled_back"}"#,
        r#"incidents_total{guard="commits",incident="commit_in_doubt"}"#,
        r#"incidents_total{guard="commits",incident="commit_forgotten"}"#,
    ] {
        let series = format!("idempotency_{series}");
        eventually(&series, async || {
            scrape().series().get(series.as_str()) >= Some(&1.0)
        })
        .await;
    }
    // Least of all by the commit in doubt.
    let lost = r#"idempotency_lost_total{guard="commits"}"#;
    assert_eq!(scrape().series().get(lost).copied().unwrap_or(0.0), 0.0);
    detour.let_go();
}

#[tokio::test]
async fn nothing_that_clients_send_is_a_label() {
    recorder();
    let keys = memory_keys().on_event(observer("bounded")).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    let series = || -> BTreeSet<String> {
        let scrape = scrape();
        let all = scrape.series().into_keys().map(str::to_owned);
        all.filter(|series| series.contains(r#"guard="bounded""#))
            .collect()
    };
    answer(pay(&server, "s3cret-0", "tea")).await;
    let at_first = series();
    for n in 1..50 {
        let request = post(&server, &format!("/s3cret-{n}?s3cret={n}"), "s3cret");
        answer(request.header("idempotency-key", format!("s3cret-{n}"))).await;
    }
    let executed = r#"idempotency_requests_total{guard="bounded",outcome="executed"}"#;
    assert_eq!(scrape().series()[executed], 50.0);
    assert_eq!(series(), at_first);
    assert!(!at_first.iter().any(|series| series.contains("s3cret")));
}

#[test]
fn the_constants_are_the_names_that_are_emitted() {
    let emitted = actix_web_idempotency::internals::emitted_metrics();
    let emitted: BTreeSet<_> = emitted.iter().map(|(name, _)| *name).collect();
    let constants = [
        name::REQUESTS,
        name::REFUSALS,
        name::TAKEOVERS,
        name::CUT_OFF,
        name::ENDINGS,
        name::LOST,
        name::STORE_ERRORS,
        name::INCIDENTS,
        name::REQUEST_DURATION,
        name::HANDLER_DURATION,
        name::STORE_DURATION,
        name::WAIT_DURATION,
        name::RECORDED_BODY,
        name::MEMORY_ENTRIES,
        name::MEMORY_ENTRIES_MAX,
        name::MEMORY_BYTES,
        name::MEMORY_BYTES_MAX,
    ];
    assert_eq!(emitted, BTreeSet::from(constants));
}
