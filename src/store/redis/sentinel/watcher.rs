use std::{
    sync::{Arc, Once, Weak},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use super::{Named, ask, connect};
use crate::{
    runtime::{background, log},
    store::redis::wire::{Limit, MasterTerm, OpenError, Opened, Server},
};

/// How often each sentinel is asked.
const EVERY: Duration = Duration::from_millis(500);

/// Hears from the sentinels when they name another master.
///
/// A master that is replaced by order, or that has been cut off from them alone, does not know it.
/// It goes on for ten seconds, until Sentinel makes it a replica, and confirms what is then lost.
///
/// The sentinels publish it too. But a subscription says nothing for weeks, and a network may forget
/// it meanwhile without a word; who asks finds out.
#[derive(Debug)]
pub(crate) struct SentinelWatcher {
    changes: watch::Sender<()>,
    begun: Once,
}

impl SentinelWatcher {
    pub(crate) fn new() -> Self {
        Self {
            changes: watch::Sender::new(()),
            begun: Once::new(),
        }
    }

    /// That of whoever is named from now on. The first call begins to ask, in the background, until
    /// this is dropped.
    pub(crate) fn master_term(self: &Arc<Self>, sentinels: &[Server], name: &str) -> MasterTerm {
        self.begun.call_once(|| {
            for sentinel in sentinels {
                let watched = WatchedSentinel {
                    sentinel: sentinel.clone(),
                    name: name.to_owned(),
                    connection: None,
                };
                background::spawn(watched.keep_asking(Arc::downgrade(self)));
            }
        });
        MasterTerm::until_next(&self.changes)
    }
}

/// One sentinel, and the connection to it.
struct WatchedSentinel {
    sentinel: Server,
    name: String,
    connection: Option<Opened>,
}

impl WatchedSentinel {
    async fn keep_asking(mut self, watcher: Weak<SentinelWatcher>) {
        let mut named = None;
        loop {
            let asked = self.ask().await;
            let Some(watcher) = watcher.upgrade() else {
                return;
            };
            match asked {
                Ok(now) => {
                    let former = named.replace(now);
                    if former.is_some() && former != named {
                        log::info!("Sentinel names another master");
                        watcher.changes.send_replace(());
                    }
                }
                // Who opens a connection says so when none of them answers.
                Err(_) => self.connection = None,
            }
            drop(watcher);
            sleep(EVERY).await;
        }
    }

    async fn ask(&mut self) -> Result<Named, OpenError> {
        let limit = Limit::after(EVERY);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(&self.sentinel, limit).await?),
        };
        let asked = ask(connection, &self.name);
        limit.step("asking", &self.sentinel, asked).await
    }
}
