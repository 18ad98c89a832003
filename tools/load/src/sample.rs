use std::time::Duration;

use crate::{redis_server::Work, wrk::Tally};

/// One measurement of one row.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) tally: Tally,
    /// Processor time of the server.
    pub(crate) cpu: Duration,
    /// Processor time of Redis, and of PostgreSQL.
    pub(crate) store_cpu: Duration,
    /// What Redis did.
    pub(crate) work: Work,
    /// For which share of the time the server's core was busy.
    pub(crate) server_core: f64,
    /// And that of wrk and Redis.
    pub(crate) load_core: f64,
    /// Which share of both cores others used.
    pub(crate) others: f64,
    /// Throughput over that of the bare handler, measured shortly before.
    pub(crate) of_bare: Option<f64>,
    /// Processor time of the bare handler for a request over its own: what `of_bare` would be if the
    /// server had its core for itself, and nobody else were slow.
    pub(crate) bare_of_cpu: Option<f64>,
    /// Throughput over that of its floor.
    pub(crate) of_floor: Option<f64>,
    /// Processor time per request over that of its floor.
    pub(crate) cpu_of_floor: Option<f64>,
    /// Median latency over that of the bare handler.
    pub(crate) added: Option<Duration>,
    /// That over what its floor adds.
    pub(crate) added_of_floor: Option<f64>,
}

impl Sample {
    /// Processor time of the server for a request, in microseconds.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.requests as f64
    }

    /// How often something was done for a request.
    pub(crate) fn per_request(&self, count: u64) -> f64 {
        count as f64 / self.tally.requests as f64
    }

    /// Compares it with what was measured shortly before.
    pub(crate) fn compare(&mut self, bare: Option<&Self>, floor: Option<&Self>) {
        if let Some(bare) = bare {
            self.of_bare = Some(self.tally.rate() / bare.tally.rate());
            self.bare_of_cpu = Some(bare.cpu_per_request() / self.cpu_per_request());
            self.added = Some(self.tally.p50.saturating_sub(bare.tally.p50));
        }
        if let Some(floor) = floor {
            self.of_floor = Some(self.tally.rate() / floor.tally.rate());
            self.cpu_of_floor = Some(self.cpu_per_request() / floor.cpu_per_request());
            let added = self.added.zip(floor.added);
            self.added_of_floor = added.map(|(ours, its)| ours.as_secs_f64() / its.as_secs_f64());
        }
    }
}
