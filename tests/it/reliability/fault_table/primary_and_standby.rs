use std::time::{Duration, Instant};

use actix_web_idempotency::AnyStore;
use actix_web_idempotency_sqlx::{PgStore, sqlx::postgres::PgPoolOptions};

use super::{service::Service, topology::Topology};
use crate::support::{
    postgres::Postgres,
    proxy::{Proxy, Traffic},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    PrimaryKilled,
    StandbyOnly,
}

use Fault::*;

/// A primary and its standby, and an address that leads to the one that serves.
pub(super) struct PrimaryAndStandby {
    fault: Fault,
    primary: Postgres,
    standby: Postgres,
    proxy: Proxy,
}

impl Topology for PrimaryAndStandby {
    type Fault = Fault;

    async fn start(fault: Fault) -> Self {
        let primary = Postgres::start();
        primary.query(PgStore::SCHEMA);
        let standby = primary.standby();
        Self {
            fault,
            proxy: Proxy::to(primary.port()).await,
            primary,
            standby,
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let pool = PgPoolOptions::new();
        let pool = pool.connect_lazy(&Postgres::url_at(self.proxy.port()));
        let store = PgStore::builder(pool.unwrap()).timeout(timeout);
        AnyStore::new(store.build().unwrap())
    }

    async fn settles(&self) {
        self.primary.is_followed_by(&self.standby).await;
    }

    async fn strike(&mut self, _service: &Service) {
        match self.fault {
            PrimaryKilled => {
                self.proxy.set(Traffic::Cut);
                self.primary.kill();
            }
            StandbyOnly => {
                self.proxy.lead_to(self.standby.port());
                self.proxy.reset();
            }
        }
    }

    async fn lasts(&mut self, _service: &Service) -> Instant {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Instant::now()
    }

    async fn heal(&mut self) {
        match self.fault {
            PrimaryKilled => {
                self.standby.promote();
                self.proxy.lead_to(self.standby.port());
                self.proxy.set(Traffic::Flows);
            }
            StandbyOnly => {
                self.proxy.lead_to(self.primary.port());
                self.proxy.reset();
            }
        }
    }
}
