use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout};

use super::{
    LEASE, SERVERS,
    caller::Caller,
    event::{Micros, now},
    operation::Operation,
    options::Options,
};

/// How many keys are asked for at once.
const AT_ONCE: usize = 100;
/// How long an answer is waited for: longer than requests wait for each other.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one goes on asking for an answer. Much longer than it may take.
const LONGEST: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// How long a key kept its client waiting when all was well.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) key: String,
    pub(super) since: Micros,
    pub(super) until: Micros,
    pub(super) is_answered: bool,
}

impl Probe {
    /// Asks for every key until there is a final answer, and then once more at each server.
    pub(super) async fn all(caller: &Caller, options: &Options) -> Vec<Self> {
        let probes = (0..options.keys()).map(|key| async move {
            let operation = Operation::probe(key, options);
            let since = now();
            let is_answered = timeout(LEASE + LONGEST, ask(caller, &operation)).await;
            let probe = Self {
                key: operation.key.clone(),
                since,
                until: now(),
                is_answered: is_answered.is_ok(),
            };
            for server in 0..SERVERS {
                caller.ask(&operation, server, PATIENCE).await;
            }
            probe
        });
        stream::iter(probes)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }
}

async fn ask(caller: &Caller, operation: &Operation) {
    for server in (0..SERVERS).cycle() {
        let said = caller.ask(operation, server, PATIENCE).await;
        if said.is_some_and(|said| said.is_final()) {
            return;
        }
        sleep(PAUSE).await;
    }
}
