//! What a browser may send and a page may read, with actix-cors and the constants of this crate.

use std::time::Duration;

use actix_cors::Cors;
use actix_web::{App, web};
use actix_web_idempotency::{
    InFlight, MemoryStore, Waiting,
    cors::{ALLOW_HEADERS, EXPOSE_HEADERS},
    testing::{Call, FaultyStore},
};
use reqwest::{Method, RequestBuilder, Response};

use crate::{
    serve,
    support::{
        eventually,
        gate::Gate,
        keys::{keys_on, pay},
        server::{Server, client},
    },
};

const ORIGIN: &str = "https://shop.example";

/// They can be named where nothing is computed.
const KEY: &str = ALLOW_HEADERS[0];

/// What pages may read of every answer (<https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>),
/// and what actix writes.
const ALWAYS: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "vary",
];

/// As the guide says it.
fn cors() -> Cors {
    Cors::default()
        .allowed_origin(ORIGIN)
        .allowed_methods(["POST", "PUT", "PATCH"])
        .allowed_headers(ALLOW_HEADERS.iter().copied())
        .allowed_header("content-type")
        .expose_headers(EXPOSE_HEADERS.iter().copied().chain(["location"]))
}

fn server(store: &FaultyStore<MemoryStore>, gate: &Gate) -> Server {
    let keys = keys_on(store.clone())
        .on_in_flight(InFlight::Wait(
            Waiting::new(Duration::from_secs(20)).honor_prefer(true),
        ))
        .required(true)
        .build()
        .unwrap();
    let gate = gate.clone();
    serve!(
        App::new()
            .wrap(keys.clone())
            .wrap(cors())
            .default_service(web::to(gate.handler()))
    )
}

/// What a browser asks before it sends a request with these headers.
async fn preflight(server: &Server, headers: &str) -> Response {
    let asked = client().request(Method::OPTIONS, server.url("/"));
    let asked = asked.header("origin", ORIGIN);
    let asked = asked.header("access-control-request-method", "POST");
    let asked = asked.header("access-control-request-headers", headers);
    asked.send().await.unwrap()
}

fn names(answer: &Response, header: &str) -> Vec<String> {
    let value = answer.headers()[header].to_str().unwrap();
    value
        .split(',')
        .map(|name| name.trim().to_lowercase())
        .collect()
}

/// Sends it as a browser does, and asserts that the page may read what came back.
async fn read(request: RequestBuilder) -> Response {
    let answer = request.header("origin", ORIGIN).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    let exposed = names(&answer, "access-control-expose-headers");
    for name in answer.headers().keys().map(|name| name.as_str()) {
        let known = ALWAYS.contains(&name) || name.starts_with("access-control-");
        assert!(
            known || exposed.iter().any(|exposed| exposed == name),
            "{name} is not exposed"
        );
    }
    answer
}

#[tokio::test]
async fn a_page_may_send_keys_and_nothing_that_nobody_has_allowed() {
    let gate = Gate::closed();
    let store = FaultyStore::new(MemoryStore::new());
    let server = server(&store, &gate);
    let asked = format!("content-type,{}", ALLOW_HEADERS.join(","));
    let answer = preflight(&server, &asked).await;
    assert_eq!(answer.status(), 200);
    let allowed = names(&answer, "access-control-allow-headers");
    for name in asked.split(',') {
        assert!(allowed.iter().any(|allowed| allowed == name), "{allowed:?}");
    }
    assert_eq!(preflight(&server, "x-other").await.status(), 400);
    assert_eq!(gate.entered(), 0);
    store.assert_not_asked();
    assert_eq!(KEY, "idempotency-key");
}

#[tokio::test]
async fn a_page_may_read_every_header_of_this_crate() {
    let gate = Gate::closed();
    let store = FaultyStore::new(MemoryStore::new());
    let server = server(&store, &gate);
    let first = tokio::spawn(read(pay(&server, "a", "x")));
    gate.wait_for_entered(1).await;

    // Waits for a moment, in vain.
    let refused = read(pay(&server, "a", "x").header("prefer", "wait=0")).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.headers().contains_key("retry-after"));

    let waited = tokio::spawn(read(pay(&server, "a", "x").header("prefer", "wait=10")));
    eventually("it waits", async || store.calls(Call::Begin) == 3).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap().status(), 201);
    let waited = waited.await.unwrap();
    assert_eq!(waited.headers()["idempotent-replayed"], "true");
    assert_eq!(waited.headers()["preference-applied"], "wait=10");

    let missing = read(client().post(server.url("/")).body("x")).await;
    assert_eq!(missing.status(), 400);
}
