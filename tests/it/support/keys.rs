use actix_web::{App, web};
use actix_web_idempotency::{
    Idempotency, MemoryStore, Scope, idempotency::IdempotencyBuilder, store::Store,
};
use reqwest::{RequestBuilder, Response};

use super::{
    gate::Gate,
    server::{Server, post},
};
use crate::serve;

pub(crate) const REPLAYED: &str = "idempotent-replayed";

/// The middleware of most tests.
pub(crate) fn keys_on(store: impl Store) -> IdempotencyBuilder {
    Idempotency::builder(store, Scope::global())
}

pub(crate) fn memory_keys() -> IdempotencyBuilder {
    keys_on(MemoryStore::new())
}

/// A server whose one handler stands in the gate and answers 201 with the number of its run, for
/// every path and method.
pub(crate) fn numbered(idempotency: &Idempotency, gate: &Gate) -> Server {
    let (idempotency, gate) = (idempotency.clone(), gate.clone());
    serve!(
        2,
        App::new()
            .wrap(idempotency.clone())
            .default_service(web::to(gate.numbered()))
    )
}

/// A request with a key.
pub(crate) fn pay(server: &Server, key: &str, body: &'static str) -> RequestBuilder {
    post(server, "/", body).header("idempotency-key", key)
}

/// What a client sees of a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether the middleware says so.
    pub(crate) is_replay: bool,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let replayed = response.headers().get(REPLAYED);
        Self {
            status: response.status().as_u16(),
            is_replay: replayed.is_some_and(|value| value == "true"),
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) fn executed(status: u16, body: impl Into<String>) -> Self {
        let (is_replay, body) = (false, body.into());
        Self {
            status,
            is_replay,
            body,
        }
    }

    pub(crate) fn replayed(status: u16, body: impl Into<String>) -> Self {
        let executed = Self::executed(status, body);
        Self {
            is_replay: true,
            ..executed
        }
    }
}

/// Sends a request and returns what its client sees.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}
