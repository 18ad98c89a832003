//! Failovers and restored backups in the midst of requests: for every key a row exists exactly when its record does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web_idempotency_sqlx::{PgStore, sqlx::postgres::PgPoolOptions};
use futures_util::future::{join, join_all};
use tokio::{task::block_in_place, time::sleep};

use super::till::Till;
use crate::support::{
    eventually,
    keys::{Answer, answer, keys_on, pay},
    postgres::Postgres,
    server::Server,
};

const KEYS: usize = 400;
const AT_ONCE: usize = 8;

fn primary() -> Postgres {
    let primary = Postgres::start();
    primary.query(PgStore::SCHEMA);
    primary.query("CREATE TABLE payments (n integer)");
    primary
}

/// A server on this database, whose rows are numbered from a number on.
fn server(postgres: &Postgres, from: i32) -> Server {
    // By default sqlx waits for half a minute for a server that refuses connections.
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(2));
    let pool = pool.connect_lazy(&postgres.url()).unwrap();
    let number = Arc::new(AtomicI32::new(from));
    let till = Till::new(pool.clone(), "payments".to_owned(), &number);
    till.server(&keys_on(PgStore::new(pool)).build().unwrap())
}

/// Pays with one key after another, in the midst of which something happens that ends it. Returns what was paid,
/// by key.
async fn load(server: &Server, event: impl AsyncFnOnce()) -> BTreeMap<String, String> {
    let (paid, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let told = Mutex::new(BTreeMap::new());
    let client = async |number: usize| {
        for n in (number..KEYS).step_by(AT_ONCE) {
            let key = format!("k-{n}");
            while !is_over.load(Ordering::SeqCst) {
                let answer = answer(pay(server, &key, "x")).await;
                if answer.status == 201 {
                    paid.fetch_add(1, Ordering::SeqCst);
                    told.lock().unwrap().insert(key, answer.body);
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let event = async {
        eventually("it is paid", async || {
            paid.load(Ordering::SeqCst) > KEYS / 4
        })
        .await;
        event().await;
        is_over.store(true, Ordering::SeqCst);
    };
    join(join_all((0..AT_ONCE).map(client)), event).await;
    told.into_inner().unwrap()
}

/// The rows and the records of which the other is missing.
fn out_of_step(postgres: &Postgres) -> String {
    postgres.query(
        "SELECT row.n, record.n \
         FROM (SELECT n::text FROM payments) AS row FULL JOIN \
              (SELECT convert_from(body, 'UTF8') AS n FROM idempotency_keys WHERE status = 201) AS record \
              ON row.n = record.n \
         WHERE row.n IS NULL OR record.n IS NULL",
    )
}

/// Retries each key on the database that is left. Returns the responses.
async fn retried(postgres: &Postgres) -> BTreeMap<String, Answer> {
    assert_eq!(out_of_step(postgres), "");
    // Requests that were under way have left claims, of which the leases end at some time.
    postgres.query("UPDATE idempotency_keys SET expires_at = now() WHERE status IS NULL");
    let server = server(postgres, 1_000_000);
    let mut told = BTreeMap::new();
    for n in 0..KEYS {
        let key = format!("k-{n}");
        let answer = answer(pay(&server, &key, "x")).await;
        assert_eq!(answer.status, 201, "{key}: {answer:?}");
        told.insert(key, answer);
    }
    assert_eq!(out_of_step(postgres), "");
    let rows = "SELECT count(*), count(DISTINCT n) FROM payments";
    assert_eq!(postgres.query(rows), format!("{KEYS}|{KEYS}"));
    told
}

fn replays(told: &BTreeMap<String, Answer>) -> usize {
    told.values().filter(|answer| answer.is_replay).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_to_an_asynchronous_standby_loses_rows_only_with_their_records() {
    let mut primary = primary();
    let standby = primary.standby();
    let before = server(&primary, 0);
    load(&before, async || block_in_place(|| primary.kill())).await;
    standby.promote();
    let told = retried(&standby).await;
    assert!(replays(&told) > 0, "the standby has followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_to_a_synchronous_standby_loses_no_payment_that_a_client_was_told_of() {
    let mut primary = primary();
    let standby = primary.standby();
    primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.query("SELECT pg_reload_conf()");
    eventually("it waits for its standby", async || {
        primary.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1"
    })
    .await;
    let before = server(&primary, 0);
    let paid = load(&before, async || block_in_place(|| primary.kill())).await;
    standby.promote();
    let told = retried(&standby).await;
    assert!(paid.len() > KEYS / 4);
    for (key, body) in paid {
        assert_eq!(told[&key], Answer::replayed(201, body), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_backup_has_the_records_of_its_rows_and_no_others() {
    let primary = primary();
    let before = server(&primary, 0);
    let mut backup = None;
    let paid = load(&before, async || {
        let restored = block_in_place(|| primary.standby());
        restored.promote();
        backup = Some(restored);
    })
    .await;
    let backup = backup.unwrap();
    let told = retried(&backup).await;
    let replays = replays(&told);
    assert!(
        (1..=paid.len()).contains(&replays),
        "{replays} of {} payments are in the backup",
        paid.len()
    );
    assert_eq!(out_of_step(&primary), "");
}
