//! What clients and configuration keep secret is in no log line and in no problem.

use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, web};
use actix_web_idempotency::{ApiLock, InFlight, MemoryStore, RedisStore, Scope, store::Store};
use reqwest::RequestBuilder;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::json;
use tokio::task::JoinHandle;

use super::with_scope;
use crate::{
    serve,
    support::{
        eventually,
        gate::Gate,
        log,
        redis::Redis,
        server::{Server, client, post},
        wire::Wire,
    },
};

/// Stands in the place of everything that is secret.
const SECRET: &str = "c4nary-of-the-review";
/// What the keys of this test begin with, to find its lines among those of all tests.
const PREFIX: &str = "review:";
/// Both middlewares around a handler that answers with a secret, stands in the gate before if it is
/// told to, or panics with one.
fn guarded(store: impl Store + Clone, gate: &Gate) -> Server {
    let gate = gate.clone();
    let keys = with_scope(store.clone(), Scope::header("x-tenant"))
        .on_in_flight(InFlight::Wait(Duration::from_millis(20).into()))
        .body_timeout(Duration::from_millis(100))
        .max_body(1000)
        .required(true)
        .key_prefix(PREFIX)
        .build()
        .unwrap();
    let lock = ApiLock::builder(store, |req| {
        json!([req.header("authorization"), req.header("x-panic")])
    })
    .key_prefix(format!("{PREFIX}lock:"))
    .build()
    .unwrap();
    let handler = move |req: HttpRequest| {
        let gate = gate.clone();
        async move {
            if req.headers().contains_key("x-hold") {
                gate.pass().await;
            }
            if req.headers().contains_key("x-panic") {
                std::panic::resume_unwind(Box::new(SECRET));
            }
            let mut answer = HttpResponse::Created();
            answer.insert_header(("location", format!("/{SECRET}")));
            answer.insert_header(("x-secret", SECRET)).body(SECRET)
        }
    };
    serve!(
        2,
        App::new()
            .wrap(lock.clone())
            .wrap(keys.clone())
            .default_service(web::to(handler.clone()))
    )
}

fn keyless(server: &Server) -> RequestBuilder {
    let path = format!("/{SECRET}%0d%0aERROR%20forged?token={SECRET}");
    let request = client().post(server.url(&path)).body(SECRET);
    request
        .header("authorization", SECRET)
        .header("cookie", SECRET)
}

fn pay(server: &Server, n: u8) -> RequestBuilder {
    let request = keyless(server).header("x-tenant", SECRET);
    request.header("idempotency-key", format!("{SECRET}-{n}"))
}

/// Sends it, and looks into what it is told unless that is the handler's own answer.
async fn told(request: RequestBuilder) -> u16 {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let is_own = answer.headers().contains_key("x-secret");
    let headers = format!("{:?}", answer.headers());
    let shown = headers + &answer.text().await.unwrap();
    assert!(is_own || !shown.contains(SECRET), "{shown}");
    assert_eq!(is_own, status == 201, "{shown}");
    status
}

/// All that can be told, by a store that is well.
async fn suffer(server: &Server, gate: &Gate) {
    assert_eq!(told(pay(server, 1)).await, 201);
    assert_eq!(told(pay(server, 1)).await, 201, "a replay");
    assert_eq!(
        told(pay(server, 1).body(format!("another {SECRET}"))).await,
        422
    );
    assert_eq!(
        told(keyless(server).header("idempotency-key", format!("{SECRET} x"))).await,
        400
    );
    assert_eq!(told(keyless(server)).await, 400, "no key");
    assert_eq!(
        told(keyless(server).header("idempotency-key", SECRET)).await,
        401,
        "no tenant"
    );
    assert_eq!(told(pay(server, 2).body(SECRET.repeat(100))).await, 413);
    assert_eq!(told(pay(server, 3).header("x-panic", "1")).await, 500);
    let held = hold(server, gate, 4).await;
    assert_eq!(told(pay(server, 4)).await, 409, "it is in flight");
    assert_eq!(told(pay(server, 5)).await, 409, "it is locked");
    gate.let_go(1);
    assert_eq!(held.await.unwrap(), 201);

    let mut wire = Wire::to(server.addr()).await;
    let head = format!("POST /{SECRET} HTTP/1.1\r\nhost: x\r\nidempotency-key: {SECRET}\r\n");
    wire.send(format!("{head}content-length: 1000\r\n\r\n{SECRET}"))
        .await;
    let late = wire.read_until("body-timeout").await;
    assert!(!late.contains(SECRET), "{late}");

    // Who leaves, and is not waited for.
    let before = gate.entered();
    let mut gone = Wire::to(server.addr()).await;
    let head = format!("{head}x-tenant: {SECRET}\r\nauthorization: gone\r\nx-hold: 1\r\n");
    gone.send(format!("{head}content-length: 0\r\n\r\n")).await;
    eventually("it runs", async || gate.entered() > before).await;
    gone.reset();
    gate.let_go(1);
    eventually("it has run to its end", async || gate.left() > before).await;
}

/// Returns when the handler of this payment stands in the gate.
async fn hold(server: &Server, gate: &Gate, n: u8) -> JoinHandle<u16> {
    let before = gate.entered();
    let held = tokio::spawn(told(pay(server, n).header("x-hold", "1")));
    eventually("it runs", async || gate.entered() > before).await;
    held
}

/// The lines of this review so far, each looked into.
fn lines() -> usize {
    let leaks = log::lines_with(SECRET);
    assert!(leaks.is_empty(), "{leaks:?}");
    let lines = log::lines_with(PREFIX);
    for line in &lines {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
    lines.len()
}

#[tokio::test]
async fn a_scenario_shows_no_secret_in_log_lines_and_problems() {
    log::collect();
    let mut redis = Redis::start();
    redis.command(&["CONFIG", "SET", "requirepass", SECRET]);
    let url = format!("redis://:{SECRET}@127.0.0.1:{}/", redis.port());
    let gate = Gate::closed();
    suffer(&guarded(MemoryStore::new(), &gate), &gate).await;
    let in_memory = lines();
    assert!(in_memory >= 3, "{in_memory} lines");
    let store = RedisStore::builder(url).timeout(Duration::from_secs(8));
    let server = guarded(store.build().unwrap(), &gate);
    suffer(&server, &gate).await;
    let with_redis = lines();
    assert!(with_redis >= in_memory + 3, "{with_redis} lines");

    // It goes away under a request, and stays away.
    let held = hold(&server, &gate, 6).await;
    redis.kill();
    gate.let_go(1);
    assert_eq!(held.await.unwrap(), 201);
    assert_eq!(told(pay(&server, 7)).await, 503);
    assert!(lines() > with_redis);
}

/// Redis as it should not be met, each with the URL by which it is.
#[tokio::test]
async fn no_error_of_redis_shows_a_password() {
    log::collect();
    let guarded_by_another = Redis::with(&["--requirepass", "another"]);
    let without_users = Redis::start();
    let renamed = Redis::with(&[
        "--rename-command",
        "HELLO",
        "",
        "--rename-command",
        "AUTH",
        "",
    ]);
    let at = |scheme: &str, redis: &Redis, rest: &str| {
        format!("{scheme}://ann:{SECRET}@127.0.0.1:{}/{rest}", redis.port())
    };
    let nowhere = crate::support::redis::free_port();
    for url in [
        at("redis", &guarded_by_another, ""),
        at("redis", &guarded_by_another, "?protocol=resp3"),
        at("redis", &without_users, ""),
        at("redis", &without_users, "?protocol=resp3"),
        // It repeats what it does not know, and what came with it.
        at("redis", &renamed, ""),
        at("redis", &renamed, "?protocol=resp3"),
        // It takes the greeting of TLS for nonsense.
        at("rediss", &without_users, ""),
        format!("redis://ann:{SECRET}@127.0.0.1:{nowhere}/"),
        format!("redis://ann:{SECRET}@127.0.0.1:99999/"),
        format!("redis://ann:{SECRET}@127.0.0.1/{SECRET}"),
        format!("redis://ann:{SECRET}@[::1/"),
        format!("{SECRET}://ann:{SECRET}@127.0.0.1/"),
        format!("redis+unix:///nowhere?user=ann&pass={SECRET}"),
    ] {
        let shown = match RedisStore::new(&url) {
            Err(err) => format!("{err} {err:?}"),
            Ok(store) => {
                let err = store.ping().await.unwrap_err();
                assert_eq!(
                    told(pay(&guarded(store.clone(), &Gate::open()), 8)).await,
                    503,
                    "{url}"
                );
                format!("{err} {err:?} {store:?}")
            }
        };
        assert!(!shown.contains(SECRET), "{url}: {shown}");
        lines();
    }
}

/// Of an application that says too much.
#[derive(Clone)]
struct Talkative(String);

impl Serialize for Talkative {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(format!("c4nnot write {}", self.0)))
    }
}

#[tokio::test]
async fn nobody_writes_log_lines_of_his_own() {
    log::collect();
    let said = |bytes: &[u8]| Talkative(String::from_utf8_lossy(bytes).into_owned());
    let lock = ApiLock::new(MemoryStore::new(), move |req| said(req.bytes()));
    let by_value = actix_web_idempotency::Fingerprinting::from_fn(move |req| Ok(said(req.bytes())));
    let keys = with_scope(MemoryStore::new(), Scope::global());
    let keys = keys.fingerprinting(by_value).build().unwrap();
    let server = serve!(
        App::new()
            .service(
                web::resource("/lock")
                    .wrap(lock.clone())
                    .to(HttpResponse::Ok)
            )
            .service(
                web::resource("/keys")
                    .wrap(keys.clone())
                    .to(HttpResponse::Ok)
            )
    );
    for path in ["/lock", "/keys"] {
        let request = post(&server, path, "\r\nERROR forged \x1b[2J\u{2028}");
        let answer = request.header("idempotency-key", "a").send().await.unwrap();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let lines = log::lines_with("c4nnot write");
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(
            !line.contains(|c: char| c.is_control() || c == '\u{2028}'),
            "{line:?}"
        );
    }
}
