use std::time::Instant as Moment;

use actix_web_idempotency::AnyStore;
use actix_web_idempotency_sqlx::{
    SqliteStore,
    sqlx::{
        AssertSqlSafe, Sqlite, SqlitePool, Transaction, raw_sql,
        sqlite::{SqliteConnectOptions, SqlitePoolOptions},
    },
};
use tokio::time::{Duration, Instant, sleep};

use super::{service::Service, topology::Topology};
use crate::support::sqlite::SqliteFile;

/// What happens to a file of SQLite, or to those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Written,
    WrittenBriefly,
    TableRenamed,
    Emptied,
    Deleted,
    Exhausted,
    WorkersEnd,
}

use Fault::*;

const A_SECOND: Duration = Duration::from_secs(1);
/// Less than what a call may take.
const BRIEFLY: Duration = Duration::from_millis(150);

/// One file of SQLite.
pub(super) struct OneFile {
    fault: Fault,
    file: SqliteFile,
    pool: SqlitePool,
    held: Vec<Transaction<'static, Sqlite>>,
}

impl Topology for OneFile {
    type Fault = Fault;

    async fn start(fault: Fault) -> Self {
        let file = SqliteFile::new().await;
        let options = SqliteConnectOptions::new().filename(file.path());
        let options = options.busy_timeout(Duration::from_millis(100));
        let pool = SqlitePoolOptions::new().max_connections(match fault {
            Exhausted => 2,
            _ => 4,
        });
        Self {
            fault,
            pool: pool.connect_lazy_with(options),
            file,
            held: Vec::new(),
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let store = SqliteStore::builder(self.pool.clone()).timeout(timeout);
        AnyStore::new(store.build().unwrap())
    }

    async fn strike(&mut self, _service: &Service) {
        match self.fault {
            Written => self.hold_the_file().await,
            TableRenamed => {
                self.run("ALTER TABLE idempotency_keys RENAME TO gone")
                    .await
            }
            Emptied => self.run("DELETE FROM idempotency_keys").await,
            Exhausted => {
                for _ in 0..self.pool.options().get_max_connections() {
                    self.held.push(self.pool.begin().await.unwrap());
                }
            }
            WrittenBriefly | Deleted | WorkersEnd => {}
        }
    }

    async fn lasts(&mut self, service: &Service) -> Moment {
        let end = Instant::now() + A_SECOND;
        while Instant::now() < end {
            match self.fault {
                WrittenBriefly => {
                    self.hold_the_file().await;
                    sleep(BRIEFLY).await;
                    self.held.clear();
                }
                Deleted => self.run("DELETE FROM idempotency_keys").await,
                WorkersEnd => service.workers_end().await,
                _ => {}
            }
            sleep(A_SECOND / 5).await;
        }
        let until = Moment::now();
        if self.fault == Exhausted {
            // Those that came meanwhile wait for its end.
            self.held.clear();
        }
        until
    }

    async fn heal(&mut self) {
        match self.fault {
            TableRenamed => {
                self.run("ALTER TABLE gone RENAME TO idempotency_keys")
                    .await
            }
            _ => self.held.clear(),
        }
    }
}

impl OneFile {
    /// Another process, with patience.
    fn other(&self) -> SqlitePool {
        SqlitePool::connect_lazy(&self.file.url()).unwrap()
    }

    async fn hold_the_file(&mut self) {
        let writer = self.other().begin_with("BEGIN IMMEDIATE").await;
        self.held.push(writer.unwrap());
    }

    async fn run(&self, sql: &str) {
        let other = self.other();
        let script = raw_sql(AssertSqlSafe(sql.to_owned()));
        script.execute(&other).await.unwrap();
        other.close().await;
    }
}
