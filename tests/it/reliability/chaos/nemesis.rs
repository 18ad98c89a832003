use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::sleep;

use super::{
    life::Life,
    options::Options,
    server::Server,
    strike::{
        Fault::{self, *},
        Strike,
    },
};
use crate::support::{
    proxy::Traffic::{Cut, Flows, Unanswered},
    redis::Redis,
};

/// Strikes servers and Redis, one fault after another.
pub(super) struct Nemesis {
    pub(super) redis: Redis,
    pub(super) servers: Vec<Server>,
}

impl Nemesis {
    /// Strikes until it is told to end, then everything is well. How often it has struck.
    pub(super) async fn rage(&mut self, options: &Options, is_over: &AtomicBool) -> usize {
        let mut choices = options.choices(0);
        let mut strikes = 0;
        loop {
            for strike in Strike::deck(&mut choices) {
                if is_over.load(Ordering::SeqCst) {
                    return strikes;
                }
                self.strike(strike).await;
                strikes += 1;
            }
        }
    }

    /// What the servers have been, when nothing is under way any more.
    pub(super) fn end(self) -> Vec<Life> {
        self.servers.into_iter().flat_map(Server::lives).collect()
    }

    async fn strike(&mut self, strike: Strike) {
        self.begin(strike.fault);
        sleep(strike.lasts / 2).await;
        if let Some(server) = strike.kills {
            self.servers[server].kill();
        }
        sleep(strike.lasts / 2).await;
        self.heal(strike.fault);
        self.servers.iter_mut().for_each(Server::is_alive);
        sleep(strike.rest).await;
    }

    fn begin(&mut self, fault: Fault) {
        let servers = &mut self.servers;
        match fault {
            Kill(server) => servers[server].kill(),
            Freeze(server) => servers[server].freeze(),
            ResetClients(server) => servers[server].clients.reset(),
            ResetStore(server) => servers[server].store.reset(),
            CutStore(server) => servers[server].store.set(Cut),
            MuteStore(server) => servers[server].store.set(Unanswered),
            FreezeRedis => self.redis.freeze(),
            RestartRedis => self.redis.kill(),
        }
    }

    fn heal(&mut self, fault: Fault) {
        match fault {
            Freeze(server) => self.servers[server].thaw(),
            CutStore(server) | MuteStore(server) => self.servers[server].store.set(Flows),
            FreezeRedis => self.redis.thaw(),
            RestartRedis => self.redis.restart(),
            Kill(_) | ResetClients(_) | ResetStore(_) => {}
        }
    }
}
