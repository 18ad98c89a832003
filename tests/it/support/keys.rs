use actix_web::{App, web};
use actix_web_idempotency::{
    Idempotency, MemoryStore, Scope, idempotency::IdempotencyBuilder, store::Store,
};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::{
    gate::Gate,
    redis::Redis,
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

/// The same middleware on each store: what holds for one must hold for the other.
pub(crate) fn keys_on_each_store(redis: &Redis) -> [IdempotencyBuilder; 2] {
    [keys_on(MemoryStore::new()), keys_on(redis.store())]
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

/// Sends it and returns status, whether it is a replay, and the body.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, bool, String) {
    let answer = request.send().await.unwrap();
    let replayed = answer.headers().get(REPLAYED);
    let replayed = replayed.is_some_and(|value| value == "true");
    let status = answer.status().as_u16();
    (status, replayed, answer.text().await.unwrap())
}

/// Asserts that an answer is this problem, with or without `Retry-After`, and returns its members.
pub(crate) async fn problem(answer: Response, status: u16, name: &str, retry: bool) -> Value {
    assert_eq!(answer.status(), status, "{name}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(
        answer.headers().contains_key("retry-after"),
        retry,
        "{name}"
    );
    assert!(!answer.headers().contains_key(REPLAYED));
    let text = answer.text().await.unwrap();
    let lower = text.to_lowercase();
    for internal in ["redis", "store:", "127.0.0.1", "idempotency:", "token"] {
        assert!(
            !lower.contains(internal),
            "{internal} is nobody's business: {text}"
        );
    }
    let problem: Value = serde_json::from_str(&text).unwrap();
    let uri = problem["type"].as_str().unwrap();
    assert!(
        uri.starts_with("https://") && uri.ends_with(&format!("#{name}")),
        "{uri}"
    );
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    problem
}

/// Sends a request and asserts that it is answered with this problem.
pub(crate) async fn is_problem(request: RequestBuilder, status: u16, name: &str, retry: bool) {
    problem(request.send().await.unwrap(), status, name, retry).await;
}
