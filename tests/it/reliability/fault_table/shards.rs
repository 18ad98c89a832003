use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use actix_web_idempotency::{AnyStore, store::StoreKey};
use tokio::time::sleep;

use super::{long_runs::long_number, service::Service, target::Target, topology::Topology};
use crate::support::{
    cluster::{Cluster, SETTLED},
    eventually_within,
};

/// How long a slot is on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(40);
/// How long the load goes on under a new primary.
const AFTERWARDS: Duration = Duration::from_millis(500);
/// The numbers whose slots move, in this order, while clients come to use them.
const NUMBERS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    SlotsMove,
    PrimaryKilled,
    /// Of a cluster that serves nobody unless it serves all.
    PrimaryKilledOfAll,
    PrimaryReplaced,
}

use Fault::*;

/// Three primaries, and a replica of the first.
pub(super) struct Shards {
    fault: Fault,
    cluster: Cluster,
}

impl Topology for Shards {
    type Fault = Fault;

    async fn start(fault: Fault) -> Self {
        Self {
            fault,
            cluster: Cluster::start().await,
        }
    }

    fn store(&self, timeout: Duration) -> AnyStore {
        let store = self.cluster.builder().timeout(timeout);
        AnyStore::new(store.build().unwrap())
    }

    fn befalls(&self, key: &StoreKey) -> bool {
        let home = self.cluster.home(key);
        match self.fault {
            // All in one direction: nodes that hand slots to each other faster than they gossip
            // may not agree in the end.
            SlotsMove => home != 1,
            PrimaryKilled | PrimaryKilledOfAll | PrimaryReplaced => home == 0,
        }
    }

    async fn settles(&self) {
        let Cluster { primaries, replica } = &self.cluster;
        replica.hears_of_all(&primaries[0]).await;
    }

    async fn strike(&mut self, _service: &Service) {
        let Cluster { primaries, replica } = &mut self.cluster;
        match self.fault {
            SlotsMove => {}
            PrimaryKilled => primaries[0].kill(),
            PrimaryKilledOfAll => {
                let all = primaries.iter().chain([&*replica]);
                for node in all {
                    node.command(&["CONFIG", "SET", "cluster-require-full-coverage", "yes"]);
                }
                primaries[0].kill();
            }
            PrimaryReplaced => drop(replica.command(&["CLUSTER", "FAILOVER"])),
        }
    }

    async fn lasts(&mut self, service: &Service) -> Instant {
        match self.fault {
            SlotsMove => {
                self.move_slots(service).await;
                Instant::now()
            }
            PrimaryKilled | PrimaryKilledOfAll | PrimaryReplaced => self.replica_takes_over().await,
        }
    }

    async fn heal(&mut self) {
        let Cluster { primaries, replica } = &self.cluster;
        match self.fault {
            SlotsMove => {
                assert!(primaries[1].calls("asking") > 0, "nobody was sent there");
            }
            PrimaryKilled | PrimaryKilledOfAll => {}
            PrimaryReplaced => {
                eventually_within(SETTLED, "the former primary follows", async || {
                    primaries[0].replication("role").as_deref() == Some("slave")
                })
                .await;
                assert_eq!(replica.replication("role").as_deref(), Some("master"));
                sleep(AFTERWARDS).await;
            }
        }
    }
}

impl Shards {
    /// Returns when the replica has taken over, and tells when it last had not.
    async fn replica_takes_over(&self) -> Instant {
        let had_not = Cell::new(Instant::now());
        eventually_within(SETTLED, "the replica takes over", async || {
            let asked = Instant::now();
            let has = self.cluster.replica.replication("role").as_deref() == Some("master");
            if !has {
                had_not.set(asked);
            }
            has
        })
        .await;
        had_not.get()
    }

    /// Moves the slots of what runs and of what clients come to use, one after the other.
    async fn move_slots(&self, service: &Service) {
        let befalls =
            |target: Target, number: usize| self.befalls(&service.stored_key(target, number));
        let long = |target: Target| (target, long_number(|number| befalls(target, number)));
        let used = (0..NUMBERS).flat_map(|number| Target::ALL.map(|target| (target, number)));
        let all = Target::ALL.map(long).into_iter().chain(used);
        for (target, number) in all.filter(|(target, number)| befalls(*target, *number)) {
            self.move_slot_of(service, target, number).await;
        }
    }

    async fn move_slot_of(&self, service: &Service, target: Target, number: usize) {
        let Cluster { primaries, .. } = &self.cluster;
        let key = &service.stored_key(target, number);
        let (from, to) = (&primaries[self.cluster.home(key)], &primaries[1]);
        let slot = self.cluster.slot(key);
        self.cluster.begin_to_move(slot, from, to);
        // On a machine that stands still the load may ask for none of the keys on their way.
        let _ = service.is_held(target, number).await;
        sleep(ON_ITS_WAY).await;
        self.cluster.end_move(slot, from, to);
    }
}
