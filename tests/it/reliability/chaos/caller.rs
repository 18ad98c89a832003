use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::RngExt;
use tokio::time::sleep;

use super::{
    answer::{Answer, Said},
    event::now,
    operation::Operation,
};
use crate::support::server::client;

/// How long clients wait for an answer. Shorter than the longest handler takes.
const PATIENCE: Duration = Duration::from_millis(900);
/// How often a client tries.
const TRIES: usize = 8;

/// Sends requests and keeps all answers.
#[derive(Clone)]
pub(super) struct Caller {
    client: reqwest::Client,
    urls: Arc<[String]>,
    history: Arc<Mutex<Vec<Answer>>>,
}

impl Caller {
    pub(super) fn to(urls: Vec<String>) -> Self {
        Self {
            client: client(),
            urls: urls.into(),
            history: Arc::default(),
        }
    }

    /// Every answer so far.
    pub(super) fn history(&self) -> Vec<Answer> {
        self.history.lock().unwrap().clone()
    }

    /// Does what a good client does: tries again with the same key, at any server, until it has a
    /// final answer or no more patience. It does not wait for as long as it is asked to: the
    /// promise must not depend on that.
    pub(super) async fn perform(&self, mut operation: Operation) {
        for _ in 0..TRIES {
            let server = operation.choices.random_range(0..self.urls.len());
            let patience = match operation.choices.random_ratio(1, 6) {
                true => Duration::from_millis(operation.choices.random_range(5..100)),
                false => PATIENCE,
            };
            let said = self.ask(&operation, server, patience).await;
            if said.is_some_and(|said| said.is_final()) {
                return;
            }
            let pause = operation.choices.random_range(20..150);
            sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Asks once; nothing when the answer does not come, or is cut off.
    pub(super) async fn ask(
        &self,
        operation: &Operation,
        server: usize,
        patience: Duration,
    ) -> Option<Said> {
        let asked = now();
        let request = (self.client.post(&self.urls[server]))
            .header("idempotency-key", &operation.key)
            .header("x-fate", serde_json::to_string(&operation.fate).unwrap())
            .header("x-takes", operation.takes.as_millis().to_string())
            .timeout(patience);
        let said = Said::in_answer(request.send().await.ok()?).await.ok()?;
        self.history.lock().unwrap().push(Answer {
            key: operation.key.clone(),
            asked,
            answered: now(),
            said: said.clone(),
        });
        Some(said)
    }
}
