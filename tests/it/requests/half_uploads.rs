//! Bodies that end early, and answers to clients that are still sending.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{ApiLock, Idempotency};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    serve,
    support::{
        keys::{REPLAYED, keys_on},
        locks::lock_on,
        redis::Redis,
        server::{Server, client},
        wire::Wire,
    },
};

const LIMIT: Duration = Duration::from_secs(30);

fn serving(lock: &ApiLock, keys: &Idempotency) -> Server {
    let (lock, keys) = (lock.clone(), keys.clone());
    serve!({
        let handled = || web::to(async |body: web::Bytes| HttpResponse::Created().body(body));
        App::new()
            .service(
                web::scope("/lock")
                    .wrap(lock.clone())
                    .default_service(handled()),
            )
            .service(
                web::scope("/keys")
                    .wrap(keys.clone())
                    .default_service(handled()),
            )
    })
}

/// How a body is announced, and how a part of it looks.
const FRAMINGS: [(&str, &str); 2] = [
    ("content-length: 8", "half"),
    ("transfer-encoding: chunked", "4\r\nhalf\r\n"),
];

#[tokio::test]
async fn body_that_ends_early_is_400_and_the_full_retry_runs() {
    let redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let keys = keys_on(redis.store()).build().unwrap();
    let server = serving(&lock, &keys);
    for path in ["/lock", "/keys"] {
        for (framing, part) in FRAMINGS {
            let mut wire = Wire::to(server.addr()).await;
            wire.send(format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nidempotency-key: {}\r\n{framing}\r\n\r\n{part}",
                part.len()
            ))
            .await;
            wire.half_close().await;
            let answer = wire.read_to_end().await;
            assert!(
                answer.starts_with("HTTP/1.1 400"),
                "{path} {framing}: {answer}"
            );
            assert_eq!(redis.calls("set"), 0, "{path} {framing}");
            assert_eq!(redis.keys(), [""; 0], "{path} {framing}");
        }
    }
    for path in ["/lock", "/keys"] {
        for (_, part) in FRAMINGS {
            let request = client().post(server.url(path)).body("halfhalf");
            let request = request.header("idempotency-key", part.len().to_string());
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 201, "{path}");
            assert!(!answer.headers().contains_key(REPLAYED), "{path}");
            assert_eq!(answer.text().await.unwrap(), "halfhalf");
        }
    }
}

/// A client that is cut off in the middle leaves no claim behind either, though nobody reads a 400.
#[tokio::test]
async fn client_that_vanishes_while_it_sends_claims_nothing() {
    let redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let keys = keys_on(redis.store()).build().unwrap();
    let server = serving(&lock, &keys);
    for path in ["/lock", "/keys"] {
        for (framing, part) in FRAMINGS {
            let mut wire = Wire::to(server.addr()).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\n{framing}\r\n\r\n"
            );
            wire.send(head + part).await;
            wire.reset();
        }
    }
    // A request that comes later has been served, so the others have been dealt with.
    let later = client()
        .post(server.url("/keys"))
        .header("idempotency-key", "later");
    assert_eq!(later.send().await.unwrap().status(), 201);
    assert!(lock.drain(LIMIT).await && keys.drain(LIMIT).await);
    // Its claim and, in a script, its record.
    assert_eq!(redis.calls("set"), 2);
}

/// Sends a large body while it reads the answer, and returns that: head and body.
async fn answer_while_sending(server: &Server, head: String, is_chunked: bool) -> (String, Value) {
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let sends = tokio::spawn(async move {
        to.write_all(head.as_bytes()).await.unwrap();
        let piece = match is_chunked {
            false => vec![b'x'; 16 * 1024],
            true => [b"4000\r\n", &vec![b'x'; 16 * 1024][..], b"\r\n"].concat(),
        };
        // More than the buffers of both ends hold. The server may end the connection meanwhile.
        for _ in 0..640 {
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
        to
    });
    let mut read = Vec::new();
    let whole = async {
        loop {
            let mut piece = [0; 4096];
            let count = from.read(&mut piece).await.unwrap();
            assert!(
                count > 0,
                "cut off after {:?}",
                String::from_utf8_lossy(&read)
            );
            read.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&read).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let (_, length) = lengths.next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return (head.to_owned(), serde_json::from_str(body).unwrap());
            }
        }
    };
    let answer = timeout(LIMIT, whole).await.expect("an answer");
    sends.abort();
    answer
}

#[tokio::test]
async fn refusal_reaches_a_client_that_is_still_sending_whole() {
    let redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let keys = keys_on(redis.store()).build().unwrap();
    let server = serving(&lock, &keys);
    let too_large = ("413", "#payload-too-large");
    for (path, key, (status, problem)) in [
        ("/lock", "", too_large),
        ("/keys", "idempotency-key: a\r\n", too_large),
        (
            "/keys",
            "idempotency-key: not one\r\n",
            ("400", "#key-invalid"),
        ),
    ] {
        for connection in ["", "connection: close\r\n"] {
            for (is_chunked, framing) in [
                (false, "content-length: 10485760"),
                (true, "transfer-encoding: chunked"),
            ] {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\n{connection}{key}{framing}\r\n\r\n"
                );
                let (head, body) = answer_while_sending(&server, head, is_chunked).await;
                let case = format!("{path} {connection:?} {framing}: {head}");
                assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{case}");
                assert!(body["type"].as_str().unwrap().ends_with(problem), "{case}");
            }
        }
    }
    assert_eq!(redis.calls("set"), 0);
}
