use std::time::{Duration, Instant};

use actix_web_idempotency::AnyStore;
use tokio::time::sleep;

use super::{service::Service, topology::Topology};
use crate::support::sentinel::Fleet;

/// How long a master that has been replaced by order goes on here. Sentinel takes ten seconds to
/// make it a replica.
const FORMER: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    MasterKilled,
    FailoverOrdered,
    FailoverAfterPause,
}

use Fault::*;

/// A master and its replica, watched by three sentinels.
pub(super) struct MasterAndReplica {
    fault: Fault,
    fleet: Fleet,
}

impl Topology for MasterAndReplica {
    type Fault = Fault;

    async fn start(fault: Fault) -> Self {
        Self {
            fault,
            fleet: Fleet::start().await,
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let store = self.fleet.builder().timeout(timeout);
        AnyStore::new(store.build().unwrap())
    }

    async fn settles(&self) {
        self.fleet.replica.hears_of_all(&self.fleet.master).await;
    }

    async fn strike(&mut self, _service: &Service) {
        match self.fault {
            MasterKilled => self.fleet.master.kill(),
            FailoverOrdered => self.fleet.order_failover().await,
            FailoverAfterPause => {
                let pause = ["CLIENT", "PAUSE", "10000", "WRITE"];
                self.fleet.master.command(&pause);
                self.settles().await;
                self.fleet.order_failover().await;
            }
        }
    }

    async fn lasts(&mut self, _service: &Service) -> Instant {
        let was_not = self.fleet.replica_is_named().await;
        match self.fault {
            MasterKilled | FailoverAfterPause => was_not,
            // The former one is there until all know of the other.
            FailoverOrdered => Instant::now(),
        }
    }

    async fn heal(&mut self) {
        match self.fault {
            MasterKilled => {}
            FailoverOrdered | FailoverAfterPause => {
                sleep(FORMER).await;
                self.fleet.demote_master();
            }
        }
    }
}
