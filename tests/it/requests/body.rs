//! Request bodies: what the handler sees is what the client sent, and what is not read in time
//! or in size locks nothing.

use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
use futures_util::{StreamExt, stream};
use reqwest::multipart::{Form, Part};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    serve,
    support::{
        gate::{Gate, gated, is_refused},
        locks::{lock_on, memory_lock, payload},
        redis::Redis,
        server::{Server, client, http2_client},
        wire::Wire,
    },
};

#[derive(Deserialize, Serialize)]
struct Order {
    item: String,
    count: u32,
}

/// One handler per extractor, each of which echoes what it was given.
fn echo(lock: ApiLock) -> Server {
    serve!(
        App::new()
            .app_data(web::PayloadConfig::new(64 * 1024 * 1024))
            .wrap(lock.clone())
            .route(
                "/json",
                web::post().to(async |order: web::Json<Order>| web::Json(order.0))
            )
            .route(
                "/form",
                web::post().to(async |order: web::Form<Order>| web::Json(order.0))
            )
            .route("/string", web::post().to(async |text: String| text))
            .route("/bytes", web::post().to(async |bytes: web::Bytes| bytes))
            .route(
                "/payload",
                web::post().to(async |mut body: web::Payload| {
                    let mut all = Vec::new();
                    while let Some(piece) = body.next().await {
                        all.extend_from_slice(&piece.unwrap());
                    }
                    HttpResponse::Ok().body(all)
                })
            )
            .route(
                "/multipart",
                web::post().to(async |mut form: Multipart| {
                    let mut fields = Vec::new();
                    while let Some(field) = form.next().await {
                        let mut field = field.unwrap();
                        let mut length = 0;
                        while let Some(piece) = field.next().await {
                            length += piece.unwrap().len();
                        }
                        fields.push(json!({ "name": field.name(), "length": length }));
                    }
                    web::Json(fields)
                })
            )
            .route(
                "/none",
                web::post()
                    .to(async |mut body: web::Payload| { body.next().await.is_none().to_string() })
            )
    )
}

#[tokio::test]
async fn every_extractor_sees_what_the_client_sent() {
    let order = json!({ "item": "tea", "count": 2 });
    let server = echo(memory_lock());
    let clients = [client(), http2_client()];
    for client in clients {
        let post = |path: &str| client.post(server.url(path));
        let json: Value = post("/json")
            .json(&order)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(json, order);
        let form: Value = post("/form")
            .form(&order)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(form, order);
        for path in ["/string", "/bytes", "/payload"] {
            let answer = post(path).body("tea ☕").send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "tea ☕", "{path}");
            let empty = post(path).send().await.unwrap();
            assert_eq!(empty.text().await.unwrap(), "", "{path}");
            let pieces = stream::iter(["one ", "two ", "three"]).map(Ok::<_, std::io::Error>);
            let chunked = post(path).body(reqwest::Body::wrap_stream(pieces));
            let answer = chunked.send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "one two three", "{path}");
        }
        let parts = Form::new()
            .text("name", "ann")
            .part("file", Part::bytes(vec![7; 100_000]).file_name("f"));
        let answer = post("/multipart").multipart(parts).send().await.unwrap();
        let expected = json!([
            { "name": "name", "length": 3 },
            { "name": "file", "length": 100_000 },
        ]);
        assert_eq!(answer.json::<Value>().await.unwrap(), expected);
        let none = post("/none").send().await.unwrap();
        assert_eq!(none.text().await.unwrap(), "true");
    }
}

#[tokio::test]
async fn compressed_bodies_arrive_as_they_came() {
    // gzip of {"item":"tea","count":2}
    const GZIPPED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0x2c, 0x49,
        0xcd, 0x55, 0xb2, 0x52, 0x2a, 0x49, 0x4d, 0x54, 0xd2, 0x51, 0x4a, 0xce, 0x2f, 0xcd, 0x2b,
        0x51, 0xb2, 0x32, 0xaa, 0x05, 0x00, 0xeb, 0xf5, 0x71, 0x44, 0x18, 0x00, 0x00, 0x00,
    ];
    let server = echo(memory_lock());
    let request = client()
        .post(server.url("/json"))
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(GZIPPED);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let order: Value = answer.json().await.unwrap();
    assert_eq!(order, json!({ "item": "tea", "count": 2 }));
}

#[tokio::test]
async fn ten_megabytes_pass_when_they_may() {
    let lock = lock_on(MemoryStore::new())
        .max_body(16 * 1024 * 1024)
        .build()
        .unwrap();
    let server = echo(lock);
    let body: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 251) as u8).collect();
    for path in ["/bytes", "/payload"] {
        let answer = client()
            .post(server.url(path))
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.bytes().await.unwrap() == body, "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_locks_nothing() {
    let redis = Redis::start();
    let server = echo(lock_on(redis.store()).max_body(1000).build().unwrap());
    let post = |body: reqwest::Body| client().post(server.url("/bytes")).body(body).send();
    let problem = post(vec![b'x'; 1001].into()).await.unwrap();
    assert_eq!(problem.status(), 413);
    assert_eq!(
        problem.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = problem.json().await.unwrap();
    assert!(
        problem["type"]
            .as_str()
            .unwrap()
            .ends_with("#payload-too-large")
    );
    assert_eq!(post(vec![b'x'; 1000].into()).await.unwrap().status(), 200);

    // Without an announced length the limit is met on the way.
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST /bytes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..2 {
        wire.send(format!("1f4\r\n{}\r\n", "x".repeat(500))).await;
    }
    wire.send("1\r\nx\r\n").await;
    assert!(
        wire.read_until("payload-too-large")
            .await
            .starts_with("HTTP/1.1 413")
    );
    assert_eq!(
        redis.calls("set"),
        1,
        "only the request that was allowed was locked"
    );
}

#[tokio::test]
async fn ten_megabytes_that_may_not_pass_get_their_answer() {
    let server = echo(memory_lock());
    for client in [client(), http2_client()] {
        let request = client
            .post(server.url("/bytes"))
            .body(vec![b'x'; 10_000_000]);
        assert_eq!(request.send().await.unwrap().status(), 413);
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_408_and_locks_nothing() {
    let redis = Redis::start();
    let lock = lock_on(redis.store()).body_timeout(Duration::from_millis(100));
    let server = echo(lock.build().unwrap());
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST /bytes HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
        .await;
    let answer = wire.read_until("body-timeout").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(redis.calls("set"), 0);
}

#[tokio::test]
async fn a_body_that_drips_is_ended_by_the_whole_timeout() {
    let lock = lock_on(MemoryStore::new()).body_timeout(Duration::from_millis(100));
    let server = echo(lock.build().unwrap());
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST /bytes HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        .await;
    let drip = async {
        loop {
            wire.send("x").await;
            let answered = wire.read_until("body-timeout");
            if let Ok(answer) = tokio::time::timeout(Duration::from_millis(30), answered).await {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), drip)
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_client_that_resets_during_its_body_locks_nothing() {
    let redis = Redis::start();
    let gate = Gate::open();
    let lock = {
        let gate = gate.clone();
        ApiLock::builder_with_payload(
            redis.store(),
            LockPayload::from_async_fn(async move |req| {
                gate.pass().await;
                Ok(Some(payload(req)))
            }),
        )
    };
    let server = echo(lock.build().unwrap());
    for _ in 0..20 {
        let mut wire = Wire::to(server.addr()).await;
        wire.send("POST /bytes HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
            .await;
        wire.reset();
    }
    let answer = client()
        .post(server.url("/bytes"))
        .body("half")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(gate.entered(), 1, "no payload was built for half a body");
    assert_eq!(redis.calls("set"), 1);
}

/// Whether two requests, one running, count as equal.
async fn are_equal(kind: &str, first: &[u8], second: &[u8]) -> bool {
    let gate = Gate::closed();
    let server = gated(memory_lock(), &gate);
    let request = |body: &[u8]| {
        let request = client().post(server.url("/")).header("content-type", kind);
        request.body(body.to_vec())
    };
    is_refused(&gate, request(first), request(second)).await
}

#[tokio::test]
async fn bodies_are_equal_by_value() {
    const JSON: &str = "application/json";
    let long = format!("[{}1]", "1,".repeat(40_000));
    let long_spaced = long.replace(',', ", ");
    let equal = [
        (
            JSON,
            r#"{"a":1,"b":[{"c":2,"d":3}]}"#,
            r#"{ "b": [{"d":3, "c":2}], "a": 1 }"#,
        ),
        (JSON, r#"{"é":"☕"}"#, r#"{"\u00e9":"\u2615"}"#),
        (
            "application/vnd.api+json; charset=utf-8",
            r#"{"a":1,"b":2}"#,
            r#"{"b":2,"a":1}"#,
        ),
        (
            JSON,
            "123456789012345678901234567890",
            " 123456789012345678901234567890 ",
        ),
        (JSON, r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#),
        (JSON, r#"{"a":"#, r#"{"a":"#),
        ("text/plain", "tea", "tea"),
        ("application/x-www-form-urlencoded", "a=1&b=2", "a=1&b=2"),
        (JSON, &long, &long),
        ("text/plain", "", ""),
    ];
    for (kind, first, second) in equal {
        assert!(
            are_equal(kind, first.as_bytes(), second.as_bytes()).await,
            "{first:.40}"
        );
    }
    let different = [
        (
            JSON,
            "123456789012345678901234567890",
            "123456789012345678901234567891",
        ),
        (
            JSON,
            r#"{"a":12345678901234567890123.1}"#,
            r#"{"a":12345678901234567890123.2}"#,
        ),
        (JSON, "1", "1.0"),
        (JSON, "1e2", "100"),
        (JSON, "[1,2]", "[2,1]"),
        (JSON, r#"{"a":null}"#, "{}"),
        (JSON, r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#),
        (JSON, r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
        (JSON, r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (JSON, r#"{"a":"#, r#"{ "a":"#),
        (JSON, "\"\u{e9}\"", "\"e\u{301}\""),
        (JSON, "null", ""),
        (JSON, "\"1\"", "1"),
        ("text/plain", "tea", "tea "),
        ("text/plain", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        ("application/x-www-form-urlencoded", "a=1&b=2", "b=2&a=1"),
        (JSON, &long, &long_spaced),
    ];
    for (kind, first, second) in different {
        assert!(
            !are_equal(kind, first.as_bytes(), second.as_bytes()).await,
            "{first:.40}"
        );
    }
    assert!(are_equal("application/octet-stream", b"\xff\x00", b"\xff\x00").await);
    assert!(!are_equal("application/octet-stream", b"\xff\x00", b"\xff\x01").await);
}
