//! Request bodies that are made to hurt.

use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{ApiLock, MemoryStore, api_lock::LockPayload};
use bytes::Bytes;
use reqwest::RequestBuilder;

use super::raw;
use crate::{
    serve,
    support::{
        gate::{Gate, gated},
        keys::{answer, memory_keys, numbered},
        locks::lock_on,
        server::{Server, client, status},
        wire::Wire,
    },
};

/// The most that is put in order.
const MOST: usize = 64 * 1024;
/// Hundreds of times what the worst of these takes without optimisation. Whatever grows with the
/// square of a body's length takes longer.
const LONG: Duration = Duration::from_secs(5);

/// As many pieces as fit between two ends.
fn filled(begin: &str, piece: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = begin.to_owned();
    for n in 0.. {
        let piece = piece(n);
        if text.len() + piece.len() + end.len() > MOST {
            break;
        }
        text.push_str(&piece);
    }
    text + end
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Objects in objects, each with its members in the wrong order, the way down in the last.
fn unsorted(depth: usize) -> String {
    let mut text = "1".to_owned();
    for _ in 0..depth {
        text = format!(r#"{{"b":{text},"a":1}}"#);
    }
    let padding = "x".repeat(MOST.saturating_sub(text.len() + 16));
    format!(r#"{{"z":{text},"p":"{padding}"}}"#)
}

fn bombs() -> Vec<(&'static str, String)> {
    vec![
        ("deepest arrays", nested("[", "", "]", MOST / 2)),
        ("deepest objects", nested("{\"a\":", "1", "}", MOST / 6 - 1)),
        ("never closed", "[".repeat(MOST)),
        ("never closed objects", "{\"a\":".repeat(MOST / 5)),
        (
            "most members",
            filled("{\"~\":0", |n| format!(",\"{:x}\":0", 99_999 - n), "}"),
        ),
        (
            "one name again and again",
            filled("{\"a\":0", |_| ",\"a\":0".to_owned(), "}"),
        ),
        (
            "names alike for long",
            filled(
                "{\"~\":0",
                |n| format!(",\"{}{:03}\":0", "x".repeat(100), 999 - n),
                "}",
            ),
        ),
        (
            "repeated at every level",
            nested("{\"a\":1,\"a\":", "1", "}", 127),
        ),
        ("wrong order at every level", unsorted(120)),
        ("the longest number", "9".repeat(MOST)),
        (
            "the longest exponent",
            format!("1e{}", "9".repeat(MOST - 2)),
        ),
        (
            "escapes alone",
            filled("\"", |_| "\\u0061".to_owned(), "\""),
        ),
        (
            "halves of surrogates",
            filled("\"", |_| "\\ud800".to_owned(), "\""),
        ),
        (
            "quotes and backslashes",
            filled("\"", |_| "\\\\\\\"".to_owned(), "\""),
        ),
        ("empty arrays", filled("[[]", |_| ",[]".to_owned(), "]")),
        ("white space", format!("[{}]", " ".repeat(MOST - 2))),
    ]
}

fn json(server: &Server, body: &str) -> RequestBuilder {
    let request = client().post(server.url("/")).body(body.to_owned());
    request.header("content-type", "application/json")
}

#[tokio::test]
async fn json_that_is_made_to_hurt_costs_little() {
    let keys = numbered(&memory_keys().build().unwrap(), &Gate::open());
    let lock = gated(lock_on(MemoryStore::new()).build().unwrap(), &Gate::open());
    for (n, (what, bomb)) in bombs().into_iter().enumerate() {
        assert!(
            (60_000 / 64..=MOST).contains(&bomb.len()),
            "{what}: {}",
            bomb.len()
        );
        let begun = Instant::now();
        let pay = || json(&keys, &bomb).header("idempotency-key", n.to_string());
        let first = answer(pay()).await;
        assert_eq!((first.status, first.is_replay), (201, false), "{what}");
        assert!(answer(pay()).await.is_replay, "{what}");
        assert_eq!(status(json(&lock, &bomb)).await, 201, "{what}");
        assert!(begun.elapsed() < LONG, "{what} took {:?}", begun.elapsed());
    }
}

/// A closure of the application that reads a body as any JSON.
#[tokio::test]
async fn a_closure_that_reads_any_json_is_not_brought_down_by_depth() {
    let lock = ApiLock::builder_with_payload(
        MemoryStore::new(),
        LockPayload::fallible(|req| req.json::<serde_json::Value>().map(Some)),
    );
    let gate = Gate::open();
    let server = gated(lock.build().unwrap(), &gate);
    for (_what, bomb) in bombs().into_iter().take(4) {
        assert_eq!(status(json(&server, &bomb)).await, 400);
    }
    assert_eq!(status(json(&server, "[1]")).await, 201);
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn forms_that_are_made_to_hurt_cost_little() {
    let server = numbered(&memory_keys().build().unwrap(), &Gate::open());
    // More than is sorted on the worker itself.
    let most = 2 * MOST;
    for (n, body) in ["&", "a&", "=&", "%&", "%25", "+"].into_iter().enumerate() {
        let body = body.repeat(most / body.len());
        let begun = Instant::now();
        let pay = || {
            let request = client().post(server.url("/")).body(body.clone());
            let request = request.header("idempotency-key", n.to_string());
            request.header("content-type", "application/x-www-form-urlencoded")
        };
        assert_eq!(answer(pay()).await.status, 201);
        assert!(answer(pay()).await.is_replay);
        assert!(begun.elapsed() < LONG, "{n} took {:?}", begun.elapsed());
    }
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nidempotency-key: a\r\n";

/// With a limit of a thousand bytes, and the gates of their handlers.
fn limited() -> [(Server, Gate); 2] {
    let (in_keys, in_lock) = (Gate::open(), Gate::open());
    let keys = memory_keys().max_body(1000).build().unwrap();
    let lock = lock_on(MemoryStore::new()).max_body(1000).build().unwrap();
    [
        (numbered(&keys, &in_keys), in_keys),
        (gated(lock, &in_lock), in_lock),
    ]
}

#[tokio::test]
async fn the_limit_counts_what_comes_and_not_what_is_said() {
    for (server, gate) in limited() {
        let bytewise = "1\r\nx\r\n".repeat(1001);
        for too_much in [
            // Nothing of it is waited for.
            "content-length: 18446744073709551615\r\n\r\n".to_owned(),
            "content-length: 1001\r\n\r\n".to_owned(),
            // In the smallest pieces there are.
            format!("transfer-encoding: chunked\r\n\r\n{bytewise}0\r\n\r\n"),
            format!(
                "transfer-encoding: chunked\r\n\r\n3e9\r\n{}",
                "x".repeat(1001)
            ),
        ] {
            let mut wire = Wire::to(server.addr()).await;
            wire.send(format!("{HEAD}{too_much}")).await;
            let told = wire.read_until("payload-too-large").await;
            assert!(told.starts_with("HTTP/1.1 413"), "{told}");
        }
        assert_eq!(gate.entered(), 0);
        let bytewise = "1\r\nx\r\n".repeat(1000);
        let just = format!("{HEAD}transfer-encoding: chunked\r\n\r\n{bytewise}0\r\n\r\n");
        assert!(
            raw(&server, just.as_bytes())
                .await
                .starts_with("HTTP/1.1 201")
        );
    }
}

/// Two ends of one body are how requests are smuggled past each other.
#[tokio::test]
async fn a_body_with_two_lengths_runs_nothing() {
    for (server, gate) in limited() {
        for lie in [
            "content-length: 1\r\ncontent-length: 2\r\n\r\nxx",
            "content-length: 1, 2\r\n\r\nxx",
            "content-length: +1\r\n\r\nx",
            "content-length: -1\r\n\r\nx",
            "content-length: 0x1\r\n\r\nx",
            "content-length: 99999999999999999999\r\n\r\nx",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
            "transfer-encoding: chunked\r\n\r\n-1\r\nx",
        ] {
            let told = raw(&server, format!("{HEAD}{lie}").as_bytes()).await;
            assert!(!told.starts_with("HTTP/1.1 2"), "{lie:?}: {told}");
        }
        assert_eq!(gate.entered(), 0);
    }
}

/// 100 kB of zeros.
const GZIPPED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0, 0, 0, 0xc2, 0xa0, 0xf5,
    0x4f, 0x6d, 0x0d, 0x0f, 0xa0,
];

#[tokio::test]
async fn what_is_compressed_is_not_blown_up() {
    let mut bomb = GZIPPED.to_vec();
    bomb.resize(132 - 11, 0);
    bomb.extend([
        0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0, 0x86, 0x01, 0x00,
    ]);
    let zipped = |server: &Server| {
        let request = client().post(server.url("/")).body(bomb.clone());
        let request = request.header("content-encoding", "gzip");
        let request = request.header("content-type", "application/json");
        request.header("idempotency-key", "a")
    };
    // The bomb is one: a handler that takes it apart sees what the middlewares did not.
    let size = async |body: Bytes| HttpResponse::Ok().body(body.len().to_string());
    let handler = serve!(App::new().default_service(web::to(size)));
    assert_eq!(answer(zipped(&handler)).await.body, "100000");
    for (server, gate) in limited() {
        let told = answer(zipped(&server)).await;
        assert_eq!(
            told.status, 201,
            "the limit of 1000 bytes counts what came: {told:?}"
        );
        assert_eq!(gate.entered(), 1);
    }
}
