//! Five hundred payments on two processes of the payments example, while processes, connections and PostgreSQL fail at
//! random moments: each is paid once, and the sum of the ledger is the number of keys that were answered with 201.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::{join, join_all};
use rand::{RngExt, seq::SliceRandom};
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use super::payments_postgres::{LIMIT, Payments, balance, payment, set_balance, written_down};
use crate::support::{
    eventually_within,
    keys::Answer,
    postgres::Postgres,
    proxy::{Proxy, Traffic},
};

const PAYMENTS: usize = 500;
const CLIENTS: usize = 20;
/// Clients send again what has no response by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// What fails; the number is that of a process.
#[derive(Clone, Copy, Debug)]
enum Strike {
    Kill(usize),
    /// For less than a lease.
    Suspend(usize),
    /// For longer than a lease.
    SuspendLong(usize),
    ResetConnections(usize),
    CutConnections(usize),
    /// Statements arrive, and no replies, until the connections are reset.
    SwallowReplies(usize),
    KillPostgres,
    SuspendPostgres,
}

struct Bank {
    postgres: Mutex<Postgres>,
    /// From each process to PostgreSQL.
    ways: [Proxy; 2],
    processes: [Mutex<Payments>; 2],
    paid: AtomicUsize,
}

impl Bank {
    async fn open() -> Self {
        let postgres = Postgres::start();
        let ways = [
            Proxy::to(postgres.port()).await,
            Proxy::to(postgres.port()).await,
        ];
        let start = |way: &Proxy| Mutex::new(Payments::start(&Postgres::url_at(way.port())));
        let processes = [start(&ways[0]), start(&ways[1])];
        set_balance(&postgres, 5 * u32::try_from(PAYMENTS).unwrap() + 3);
        Self {
            postgres: Mutex::new(postgres),
            ways,
            processes,
            paid: AtomicUsize::new(0),
        }
    }

    fn url(&self, process: usize) -> String {
        let process = self.processes[process % 2].lock();
        let process = process.unwrap_or_else(PoisonError::into_inner);
        process.0.url().to_owned()
    }

    /// Pays with a part of the keys, each until it is paid. Returns the responses.
    async fn client(&self, number: usize) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for n in (number..PAYMENTS).step_by(CLIENTS) {
            let key = format!("k-{n}");
            let begun = Instant::now();
            for attempt in n.. {
                assert!(begun.elapsed() < LIMIT, "{key} is not paid");
                let request = payment(&self.url(attempt), &key).timeout(PATIENCE);
                let Ok(response) = request.send().await else {
                    sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let answer = Answer::read(response).await;
                if answer.status == 201 {
                    self.paid.fetch_add(1, Ordering::SeqCst);
                    told.push((key, answer.body));
                    break;
                }
                let is_to_be_retried = [409, 500, 503].contains(&answer.status);
                assert!(is_to_be_retried, "{key}: {answer:?}");
                sleep(Duration::from_millis(100)).await;
            }
        }
        told
    }

    async fn strike(&self, strike: Strike) {
        match strike {
            Strike::Kill(process) => block_in_place(|| {
                let url = Postgres::url_at(self.ways[process].port());
                let mut process = self.processes[process].lock().unwrap();
                // Dropped, which kills it, and the next one in its place.
                *process = Payments::start(&url);
            }),
            Strike::Suspend(process) => self.suspend(process, Duration::from_millis(400)).await,
            Strike::SuspendLong(process) => self.suspend(process, Duration::from_secs(6)).await,
            Strike::ResetConnections(process) => self.ways[process].reset(),
            Strike::CutConnections(process) => self.spoil(process, Traffic::Cut).await,
            Strike::SwallowReplies(process) => {
                self.spoil(process, Traffic::Unanswered).await;
                self.ways[process].reset();
            }
            Strike::KillPostgres => block_in_place(|| {
                let mut postgres = self.postgres.lock().unwrap();
                postgres.kill();
                postgres.restart();
            }),
            Strike::SuspendPostgres => {
                self.postgres.lock().unwrap().freeze();
                sleep(Duration::from_millis(500)).await;
                self.postgres.lock().unwrap().thaw();
            }
        }
    }

    async fn suspend(&self, process: usize, lasts: Duration) {
        self.processes[process].lock().unwrap().0.freeze();
        sleep(lasts).await;
        self.processes[process].lock().unwrap().0.thaw();
    }

    async fn spoil(&self, process: usize, traffic: Traffic) {
        self.ways[process].set(traffic);
        sleep(Duration::from_millis(400)).await;
        self.ways[process].set(Traffic::Flows);
    }

    /// Has everything paid while one after the other fails.
    async fn pays_all(&self, strikes: &[Strike]) {
        let nemesis = async {
            for (n, strike) in strikes.iter().enumerate() {
                let enough = n * PAYMENTS / strikes.len();
                eventually_within(LIMIT, "payments go on", async || {
                    self.paid.load(Ordering::SeqCst) >= enough
                })
                .await;
                sleep(Duration::from_millis(rand::rng().random_range(0..50))).await;
                println!("{strike:?}");
                self.strike(*strike).await;
            }
        };
        let clients = join_all((0..CLIENTS).map(|number| self.client(number)));
        let (told, ()) = join(clients, nemesis).await;

        let told: BTreeSet<_> = told.into_iter().flatten().collect();
        assert_eq!(told.len(), PAYMENTS);
        let postgres = self.postgres.lock().unwrap();
        for (key, body) in told.iter().step_by(10) {
            assert_eq!(*body, written_down(&postgres, key));
        }
        assert_eq!(balance(&postgres), "3");
        let counts = "SELECT (SELECT count(*) FROM payments), \
                             (SELECT count(DISTINCT recipient) FROM payments), \
                             (SELECT count(*) FROM outbox), \
                             (SELECT count(*) FROM idempotency_keys WHERE status = 201)";
        assert_eq!(postgres.query(counts), "500|500|500|500");
        let in_step = "SELECT count(*) FROM payments JOIN idempotency_keys \
                       ON (convert_from(body, 'UTF8')::json ->> 'id')::bigint = id";
        assert_eq!(postgres.query(in_step), "500");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_on_processes_that_are_killed_are_paid_once_each() {
    let bank = Bank::open().await;
    let kills: Vec<_> = (0..12).map(|n| Strike::Kill(n % 2)).collect();
    bank.pays_all(&kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_are_paid_once_each_whatever_fails() {
    let bank = Bank::open().await;
    let process = || rand::rng().random_range(0..2);
    let mut strikes = vec![
        Strike::Kill(process()),
        Strike::Kill(process()),
        Strike::Suspend(process()),
        Strike::SuspendLong(process()),
        Strike::ResetConnections(process()),
        Strike::ResetConnections(process()),
        Strike::CutConnections(process()),
        Strike::SwallowReplies(process()),
        Strike::KillPostgres,
        Strike::KillPostgres,
        Strike::SuspendPostgres,
    ];
    strikes.shuffle(&mut rand::rng());
    bank.pays_all(&strikes).await;
}
