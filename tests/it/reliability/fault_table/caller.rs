use std::time::Instant;

use serde_json::Value;

use super::{answer::Answer, target::Target};
use crate::support::{
    keys::REPLAYED,
    server::{Server, client},
};

/// The idempotency key of all requests; their paths tell them apart.
pub(super) const KEY: &str = "k";

/// Sends requests to one server.
#[derive(Clone)]
pub(super) struct Caller {
    client: reqwest::Client,
    server: String,
}

impl Caller {
    pub(super) fn to(server: &Server) -> Self {
        Self {
            client: client(),
            server: server.url(""),
        }
    }

    pub(super) fn request(&self, target: Target, number: usize) -> reqwest::RequestBuilder {
        let request = (self.client).post(format!("{}{}", self.server, target.path(number)));
        request.header("idempotency-key", KEY).body("x")
    }

    pub(super) async fn call(&self, target: Target, number: usize) -> Answer {
        let sent = Instant::now();
        let answer = self.request(target, number).send().await.unwrap();
        let status = answer.status().as_u16();
        let is_replay = answer.headers().contains_key(REPLAYED);
        let body = answer.text().await.unwrap();
        let problem = (status != 201).then(|| {
            let problem: Value = serde_json::from_str(&body).unwrap();
            let uri = problem["type"].as_str().unwrap();
            uri.rsplit('#').next().unwrap().to_owned()
        });
        Answer {
            target,
            number,
            sent,
            came: Instant::now(),
            status,
            problem,
            is_replay,
        }
    }
}
