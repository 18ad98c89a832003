//! What clients send stays data: in Redis, in answers, in problems.

use std::time::Duration;

use actix_web::{
    App, HttpRequest, HttpResponse,
    http::{Method, header::HeaderValue},
    web,
};
use actix_web_idempotency::{
    ApiLock, Fingerprinting, Scope,
    store::{
        NewClaim, Record, RecordedResponse, Store, Tombstone,
        redis::redis::{self, Value},
    },
};
use bytes::Bytes;
use serde_json::json;

use super::{raw, with_scope};
use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        gate::Gate,
        keys::{REPLAYED, keys_on, numbered, pay},
        problems::{ProblemKind, assert_refused},
        redis::Redis,
        server::{Server, client},
    },
};

const HOSTILE: [&[u8]; 12] = [
    b"\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    b"*1\r\n$8\r\nFLUSHALL\r\n",
    b"$-1\r\n-ERR\r\n",
    b"') redis.call('FLUSHALL') --",
    b"KEYS[1]..ARGV[1]]]--[[",
    b"{slot}*?[a-z]\\",
    b"a\0b",
    b"\x01A\x01C\x01T",
    b"\xff\xfe\x80",
    b"\x1b[2J\x07",
    b"%0d%0aset-cookie:%20a=1",
    b"${jndi:ldap://127.0.0.1/a}",
];

/// Answers with what it was sent, so that it is recorded too.
async fn echo(req: HttpRequest, body: Bytes) -> HttpResponse {
    let mut answer = HttpResponse::Created();
    if let Some(odd) = req.headers().get("x-odd") {
        answer.insert_header(("x-odd", odd.clone()));
    }
    answer.body(body)
}

fn echoing(redis: &Redis) -> Server {
    let scope = Scope::from_fn(|req| req.header("x-odd").map(|odd| odd.into_owned()));
    let keys = with_scope(redis.store(), scope.or_anonymous()).build();
    let (keys, lock) = (
        keys.unwrap(),
        ApiLock::new(
            redis.store(),
            |req| json!({ "odd": req.header("x-odd"), "body": req.body() }),
        ),
    );
    serve!(
        App::new()
            .wrap(lock.clone())
            .wrap(keys.clone())
            .default_service(web::to(echo))
    )
}

#[tokio::test]
async fn what_clients_send_reaches_redis_as_data_alone() {
    let redis = Redis::start();
    redis.command(&["SET", "witness", "untouched"]);
    let server = echoing(&redis);
    for (n, hostile) in HOSTILE.into_iter().enumerate() {
        let key = match hostile.iter().all(u8::is_ascii_graphic) {
            true => String::from_utf8(hostile.to_vec()).unwrap(),
            false => format!("plain-{n}"),
        };
        let odd = HeaderValue::from_bytes(hostile).ok();
        for is_replay in [false, true] {
            let mut request = client().post(server.url("/")).body(hostile);
            request = request.header("idempotency-key", &key);
            if let Some(odd) = &odd {
                request = request.header("x-odd", odd.as_bytes());
            }
            let told = request.send().await.unwrap();
            assert_eq!(told.status(), 201, "{key}");
            assert_eq!(told.headers().contains_key(REPLAYED), is_replay, "{key}");
            let came = told
                .headers()
                .get("x-odd")
                .map(|odd| odd.as_bytes().to_vec());
            assert_eq!(came.as_deref(), odd.as_ref().map(|odd| odd.as_bytes()));
            assert_eq!(told.bytes().await.unwrap(), hostile);
        }
    }
    let witness: String = redis::from_redis_value(redis.command(&["GET", "witness"])).unwrap();
    assert_eq!(witness, "untouched");
    assert_eq!(redis.command(&["DEL", "witness"]), Value::Int(1));
    let stored = redis.keys();
    assert_eq!(stored.len(), HOSTILE.len(), "{stored:?}");
    for key in stored {
        let digits = key.strip_prefix("idempotency:").unwrap();
        let hex = digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(hex && digits.len() == 64, "{key}");
    }
    assert_eq!(redis.calls("flushall"), 0);
}

/// A line end in a header value begins another header, or nothing at all; it is never a part of a
/// key or scope.
#[tokio::test]
async fn a_key_with_a_line_end_in_it_runs_nothing() {
    let redis = Redis::start();
    let gate = Gate::open();
    let keys = with_scope(redis.store(), Scope::header("x-tenant")).build();
    let server = numbered(&keys.unwrap(), &gate);
    for key in [
        &b"a\r\nx-tenant: eve"[..],
        b"a\nx-tenant: eve",
        b"a\rx-tenant: eve",
        b"a\r\n x-tenant: eve",
        b"a\r\nidempotency-key: b",
        b"a\0b",
        b"a\x1b[31m",
        b"a\x7f",
        b"a\tb",
        b"\"a\\\r\n\"",
        b"",
    ] {
        let head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-tenant: ann\r\n";
        let tail = b"\r\ncontent-length: 0\r\n\r\n";
        let told = raw(
            &server,
            &[&head[..], b"idempotency-key: ", key, tail].concat(),
        )
        .await;
        let status = told.get(..12).unwrap_or_default();
        assert!(
            ["HTTP/1.1 400", "HTTP/1.1 401"].contains(&status),
            "{:?}: {told}",
            key.escape_ascii().to_string()
        );
    }
    assert_eq!(gate.entered(), 0);
    assert_eq!(redis.calls("set"), 0);
}

/// Stores a record as somebody would who can write to the store.
async fn tamper(backend: &Backend, key: &str, record: Record) -> (Server, Gate) {
    let store = backend.store();
    let keys = keys_on(store.clone()).fingerprinting(Fingerprinting::off());
    let keys = keys.build().unwrap();
    let key = keys.stored_key(None, &Method::POST, "/", &key.parse().unwrap());
    let lease = NewClaim::lock(key, Duration::from_secs(60)).lease();
    let day = Duration::from_secs(86_400);
    store.complete(&lease, &record, day).await.unwrap();
    let gate = Gate::open();
    (numbered(&keys, &gate), gate)
}

fn with_header(name: &str, value: &[u8]) -> Record {
    Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: [(name, value)].into_iter().collect(),
        body: Bytes::new(),
    })
}

each_store!(a_record_with_a_line_end_in_it_splits_no_answer);
async fn a_record_with_a_line_end_in_it_splits_no_answer(backend: &Backend) {
    let records = [
        ("x", &b"a\r\nset-cookie: evil=1"[..]),
        ("x", b"a\r\n\r\n<script>evil</script>"),
        ("x", b"a\nevil: 1"),
        ("x", b"evil\0"),
        ("x\r\nset-cookie", b"evil"),
        ("x y", b"evil"),
        ("", b"evil"),
    ];
    for (n, (name, value)) in records.into_iter().enumerate() {
        let key = format!("k{n}");
        let (server, gate) = tamper(backend, &key, with_header(name, value)).await;
        assert_refused(pay(&server, &key, "tea"), ProblemKind::ResponseNotStored).await;
        let told = raw(&server, &raw_pay(&key)).await;
        assert!(!told.contains("evil"), "{told}");
        assert_eq!(gate.entered(), 0, "it is not run over");
    }
}

fn raw_pay(key: &str) -> Vec<u8> {
    let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n";
    format!("{head}idempotency-key: {key}\r\n\r\n").into_bytes()
}

each_store!(a_hostile_location_is_text_in_a_problem);
async fn a_hostile_location_is_text_in_a_problem(backend: &Backend) {
    let location =
        b"/\"},\"status\":200,\r\nset-cookie: evil=1\r\n\r\n\x1b[2J\0<b>\xff\xe2\x80\xa8";
    let record = Record::Tombstone(Tombstone {
        fingerprint: None,
        status: Some(201),
        location: Some(Bytes::from_static(location)),
    });
    let (server, _gate) = tamper(backend, "a", record).await;
    let told = raw(&server, &raw_pay("a")).await;
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(
        !head.contains("evil") && !head.contains("location"),
        "{head}"
    );
    assert!(!body.contains(|c: char| c.is_control()), "{body:?}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], 409);
    assert_eq!(
        problem["location"],
        String::from_utf8_lossy(location).as_ref()
    );
}
