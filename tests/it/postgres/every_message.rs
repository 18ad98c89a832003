//! Something goes wrong at each message of one request in turn, before the server receives it and after. Rows and
//! record are in step, whoever saw a success saw that row, and a retry ends in one. The application itself is killed
//! in `examples::payments_postgres`.

use std::{
    sync::{Arc, Mutex, atomic::AtomicI32},
    time::Duration,
};

use actix_web_idempotency_sqlx::{PgStore, sqlx::postgres::PgPoolOptions};
use tokio::{task::spawn_blocking, time::sleep};

use super::till::Till;
use crate::support::{
    GENEROUS,
    cutter::{Cutter, Side, Then},
    keys::{Answer, answer, keys_on, pay},
    postgres::Postgres,
    server::Server,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// The connection is cut.
    Cut,
    /// The server ends its sessions, as an operator does.
    SessionsEnd,
    /// The server is killed, and starts again.
    ServerDies,
    /// Nothing comes through for longer than the lease, while a duplicate is sent another way.
    Hold,
}

const LEASE: Duration = Duration::from_millis(300);

/// The variable of the environment that has everything go wrong at every message, not only cut connections.
const ALL: &str = "EVERY_MESSAGE";

/// Otherwise every so manyth.
const STEP: usize = 9;

/// The way of a request in which something goes wrong.
struct Run {
    postgres: Arc<Mutex<Postgres>>,
    wrong: Wrong,
    at: usize,
    side: Side,
}

impl Run {
    fn query(&self, sql: &str) -> String {
        self.postgres.lock().unwrap().query(sql)
    }

    /// A server whose statements go by a URL, with tables of this run's own.
    fn server(&self, url: &str, number: &Arc<AtomicI32>) -> (Server, PgStore) {
        let pool = PgPoolOptions::new().max_connections(3);
        let pool = pool.connect_lazy(url).unwrap();
        let store = PgStore::builder(pool.clone()).table(self.table());
        let store = store.timeout(GENEROUS).build().unwrap();
        let till = Till::new(pool, self.rows(), number);
        let keys = keys_on(store.clone());
        let keys = match self.wrong {
            Wrong::Hold => keys.lease(LEASE),
            _ => keys,
        };
        (till.server(&keys.build().unwrap()), store)
    }

    fn table(&self) -> String {
        format!("keys_{:?}_{}_{:?}", self.wrong, self.at, self.side).to_lowercase()
    }

    fn rows(&self) -> String {
        format!("rows_of_{}", self.table())
    }

    /// Has it go wrong. What duplicates were told meanwhile is added to what others were told.
    async fn strike(
        postgres: Arc<Mutex<Postgres>>,
        wrong: Wrong,
        beside: Arc<Server>,
        told: Arc<Mutex<Vec<Answer>>>,
    ) -> Then {
        match wrong {
            Wrong::Cut => return Then::Cut,
            Wrong::SessionsEnd => {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                           WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                let ended = spawn_blocking(move || postgres.lock().unwrap().query(end));
                ended.await.unwrap();
            }
            Wrong::ServerDies => {
                let restarted = spawn_blocking(move || {
                    let mut postgres = postgres.lock().unwrap();
                    postgres.kill();
                    postgres.restart();
                });
                restarted.await.unwrap();
                return Then::Cut;
            }
            Wrong::Hold => {
                // Where its transaction has locked the claim, no duplicate can take it over.
                for _try in 0..15 {
                    let duplicate = answer(pay(&beside, "a-1", "x")).await;
                    if duplicate.status == 201 {
                        told.lock().unwrap().push(duplicate);
                        break;
                    }
                    sleep(LEASE / 5).await;
                }
            }
        }
        Then::GoOn
    }

    /// Runs one request, and retries it. Returns whether anything went wrong, or the request was shorter than that.
    async fn ends_in_step(self) -> bool {
        let case = format!("{:?} {} {:?}", self.wrong, self.at, self.side);
        let port = self.postgres.lock().unwrap().port();
        let cutter = Cutter::to(port).await;
        let number = Arc::default();
        let (server, store) = self.server(&cutter.url(), &number);
        let (beside, _store) = self.server(&Postgres::url_at(port), &number);
        self.query(&store.schema());
        self.query(&format!("CREATE TABLE {} (n integer)", self.rows()));
        let told = Arc::<Mutex<Vec<Answer>>>::default();
        let strike = Self::strike(
            Arc::clone(&self.postgres),
            self.wrong,
            Arc::new(beside),
            Arc::clone(&told),
        );
        cutter.arm(self.at, self.side, strike).await;

        for _try in 0..200 {
            let answer = answer(pay(&server, "a-1", "x")).await;
            match answer.status {
                201 if answer.is_replay => {
                    told.lock().unwrap().push(answer);
                    break;
                }
                201 => told.lock().unwrap().push(answer),
                409 | 503 => sleep(Duration::from_millis(20)).await,
                other => panic!("{case}: {other}"),
            }
        }
        let told = told.lock().unwrap();
        let committed = self.query(&format!("SELECT n FROM {}", self.rows()));
        let is_final = told.last().is_some_and(|last| last.is_replay);
        assert!(is_final, "{case}: {told:?}");
        for success in &*told {
            assert_eq!(success.body, committed, "{case}: {told:?}");
        }
        let recorded = "SELECT convert_from(body, 'UTF8') FROM ";
        let recorded = format!("{recorded} {} WHERE status = 201", self.table());
        assert_eq!(self.query(&recorded), committed, "{case}");
        cutter.has_struck()
    }
}

/// Goes through the messages of a request.
async fn every_message(wrong: Wrong, step: usize) {
    let postgres = Arc::new(Mutex::new(Postgres::start()));
    for side in [Side::Before, Side::After] {
        let run = |at| Run {
            postgres: Arc::clone(&postgres),
            wrong,
            at,
            side,
        };
        let mut at = 0;
        while run(at).ends_in_step().await {
            at += step;
        }
        assert!(at > 15, "a request is only {at} messages");
        println!("{wrong:?}, {side:?} each {step} of {at} messages");
    }
}

fn step() -> usize {
    match std::env::var(ALL).is_ok_and(|all| all == "all") {
        true => 1,
        false => STEP,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_cut_at_any_message_leaves_rows_and_record_in_step() {
    every_message(Wrong::Cut, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_ended_at_a_message_leave_rows_and_record_in_step() {
    every_message(Wrong::SessionsEnd, step()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_killed_at_a_message_leaves_rows_and_record_in_step() {
    every_message(Wrong::ServerDies, step()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_held_past_the_lease_leaves_rows_and_record_in_step() {
    every_message(Wrong::Hold, step()).await;
}
