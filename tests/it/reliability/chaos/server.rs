use std::path::{Path, PathBuf};

use super::{
    LEASE, WAIT,
    event::{Micros, now},
    life::Life,
};
use crate::support::{
    example::{Example, member},
    proxy::Proxy,
};

/// A server that can be killed and started anew, the way to it, and its way to Redis.
pub(super) struct Server {
    number: usize,
    journals: PathBuf,
    process: Option<Example>,
    /// A moment before it was suspended.
    suspended: Option<Micros>,
    lives: Vec<Life>,
    pub(super) clients: Proxy,
    pub(super) store: Proxy,
}

impl Server {
    pub(super) async fn start(number: usize, redis: u16, journals: &Path) -> Self {
        let mut server = Self {
            number,
            journals: journals.to_owned(),
            process: None,
            suspended: None,
            lives: Vec::new(),
            clients: Proxy::to(0).await,
            store: Proxy::to(redis).await,
        };
        server.is_alive();
        server
    }

    /// Where clients reach it, whichever process it is.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/work", self.clients.port())
    }

    /// Starts it unless it runs.
    pub(super) fn is_alive(&mut self) {
        if self.process.is_some() {
            return;
        }
        let name = format!("{}-{}", self.number, self.lives.len());
        let journal = self.journals.join(&name);
        let redis = format!("redis://127.0.0.1:{}/", self.store.port());
        // Duplicates wait at some servers and are refused at others.
        let wait = [WAIT.as_millis(), 0][self.number % 2].to_string();
        let lease = LEASE.as_millis().to_string();
        let environment = [
            ("REDIS_URL", redis.as_str()),
            ("JOURNAL", journal.to_str().unwrap()),
            ("LIFE", &name),
            ("LEASE", &lease),
            ("WAIT", &wait),
        ];
        let process = Example::start(member("chaos_server"), &environment);
        let (_, port) = process.url().rsplit_once(':').unwrap();
        let (port, _) = port.split_once('/').unwrap();
        self.clients.lead_to(port.parse().unwrap());
        self.process = Some(process);
        self.lives.push(Life {
            journal,
            killed: None,
            suspended: None,
        });
    }

    pub(super) fn kill(&mut self) {
        if let (Some(process), Some(life)) = (self.process.take(), self.lives.last_mut()) {
            life.killed = Some(now());
            life.suspended = self.suspended.take();
            drop(process);
        }
    }

    pub(super) fn freeze(&mut self) {
        if let Some(process) = &self.process {
            self.suspended = Some(now());
            process.freeze();
        }
    }

    pub(super) fn thaw(&mut self) {
        if let Some(process) = &self.process {
            process.thaw();
            self.suspended = None;
        }
    }

    /// Ends it, when nothing is under way any more.
    pub(super) fn lives(mut self) -> Vec<Life> {
        drop(self.process.take());
        self.lives
    }
}
