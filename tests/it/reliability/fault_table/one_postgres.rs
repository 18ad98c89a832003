use std::time::Instant as Moment;

use actix_web_idempotency::AnyStore;
use actix_web_idempotency_sqlx::{
    PgStore,
    sqlx::{PgPool, PgTransaction, postgres::PgPoolOptions, query},
};
use tokio::time::{Duration, Instant, sleep};

use super::{
    postgres_fault::PostgresFault::{self, *},
    service::Service,
    topology::Topology,
};
use crate::support::{
    postgres::Postgres,
    proxy::{Proxy, Traffic},
};

/// How long a fault lasts.
const A_SECOND: Duration = Duration::from_secs(1);

/// One PostgreSQL, and the way to it.
pub(super) struct OnePostgres {
    fault: PostgresFault,
    postgres: Postgres,
    proxy: Proxy,
    pool: PgPool,
    held: Vec<PgTransaction<'static>>,
}

impl Topology for OnePostgres {
    type Fault = PostgresFault;

    async fn start(fault: PostgresFault) -> Self {
        let postgres = Postgres::start();
        postgres.query(PgStore::SCHEMA);
        postgres.query("CREATE ROLE app LOGIN");
        postgres.query("GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO app");
        let proxy = Proxy::to(postgres.port()).await;
        let url = format!("postgres://app@127.0.0.1:{}/postgres", proxy.port());
        let pool = PgPoolOptions::new().max_connections(match fault {
            Exhausted => 2,
            _ => 5,
        });
        Self {
            fault,
            pool: pool.connect_lazy(&url).unwrap(),
            proxy,
            postgres,
            held: Vec::new(),
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let store = PgStore::builder(self.pool.clone()).timeout(timeout);
        AnyStore::new(store.build().unwrap())
    }

    async fn strike(&mut self, _service: &Service) {
        let postgres = &mut self.postgres;
        match self.fault {
            Killed => postgres.kill(),
            Stopped => postgres.freeze(),
            Cut => self.proxy.set(Traffic::Cut),
            Slow => self.proxy.set(Traffic::Slow(Duration::from_millis(40))),
            TooSlow => self.proxy.set(Traffic::Slow(Duration::from_millis(700))),
            Swallowed => self.proxy.set(Traffic::Swallowed),
            ReadOnly => {
                // Of sessions that there are and of new ones.
                postgres.query("ALTER SYSTEM SET default_transaction_read_only = on");
                postgres.query("SELECT pg_reload_conf()");
            }
            TableRenamed => drop(postgres.query("ALTER TABLE idempotency_keys RENAME TO gone")),
            RightsRevoked => drop(postgres.query("REVOKE ALL ON idempotency_keys FROM app")),
            TableLocked => {
                self.hold("LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE")
                    .await
            }
            RowsLocked => self.hold("SELECT FROM idempotency_keys FOR UPDATE").await,
            Truncated => drop(postgres.query("TRUNCATE idempotency_keys")),
            Exhausted => {
                for _ in 0..self.pool.options().get_max_connections() {
                    self.held.push(self.pool.begin().await.unwrap());
                }
            }
            Terminated | Reset | Deleted | WorkersEnd => {}
        }
    }

    async fn lasts(&mut self, service: &Service) -> Moment {
        // A busy machine has to have time to open connections before they are lost too.
        let (long, pause) = match self.fault {
            Terminated | Reset => (A_SECOND * 4, A_SECOND),
            _ => (A_SECOND, A_SECOND / 5),
        };
        let end = Instant::now() + long;
        while Instant::now() < end {
            self.strike_again(service).await;
            sleep(pause).await;
        }
        let until = Moment::now();
        if self.fault == Exhausted {
            // Those that came meanwhile wait for its end.
            self.held.clear();
        }
        until
    }

    async fn heal(&mut self) {
        let postgres = &mut self.postgres;
        match self.fault {
            Killed => postgres.restart(),
            Stopped => postgres.thaw(),
            Cut | Slow | TooSlow | Swallowed => self.proxy.set(Traffic::Flows),
            ReadOnly => {
                postgres.query("ALTER SYSTEM RESET default_transaction_read_only");
                postgres.query("SELECT pg_reload_conf()");
            }
            TableRenamed => drop(postgres.query("ALTER TABLE gone RENAME TO idempotency_keys")),
            RightsRevoked => {
                let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO app";
                postgres.query(grant);
            }
            TableLocked | RowsLocked | Exhausted => self.held.clear(),
            Terminated | Reset | Truncated | Deleted | WorkersEnd => {}
        }
    }
}

impl OnePostgres {
    /// Opens a transaction that does this, on a connection of its own.
    async fn hold(&mut self, sql: &'static str) {
        let pool = PgPool::connect_lazy(&self.postgres.url()).unwrap();
        let mut transaction = pool.begin().await.unwrap();
        query(sql).execute(&mut *transaction).await.unwrap();
        self.held.push(transaction);
    }

    async fn strike_again(&self, service: &Service) {
        match self.fault {
            Terminated => {
                let end =
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'";
                self.postgres.query(end);
            }
            Reset => self.proxy.reset(),
            Deleted => drop(self.postgres.query("DELETE FROM idempotency_keys")),
            WorkersEnd => service.workers_end().await,
            _ => {}
        }
    }
}
