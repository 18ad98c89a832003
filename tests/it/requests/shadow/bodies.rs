//! Bodies that a guard would not read to their end: the handler does.

use std::time::Duration;

use actix_web_idempotency::{MemoryStore, event::Outcome};

use super::{bare, with_keys, with_lock};
use crate::support::{
    ear::Ear,
    gate::Gate,
    keys::memory_keys,
    locks::lock_on,
    server::{Server, client, http2_client},
    wire::Wire,
};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(20);

/// One of each, with these limits.
fn shadows(most: usize, pause: Duration, gate: &Gate, ear: &Ear) -> [Server; 2] {
    let keys = memory_keys().max_body(most).body_timeout(pause);
    let lock = lock_on(MemoryStore::new())
        .max_body(most)
        .body_timeout(pause);
    [
        with_keys(
            &keys.shadow(true).on_event(ear.hears()).build().unwrap(),
            gate,
        ),
        with_lock(
            &lock.shadow(true).on_event(ear.hears()).build().unwrap(),
            gate,
        ),
    ]
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\nconnection: close\r\n\
                       transfer-encoding: chunked\r\n\r\n";

/// A piece of a chunked body.
fn piece(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[tokio::test]
async fn what_is_too_large_streams_on_behind_what_was_read() {
    let (gate, ear) = (Gate::open(), Ear::default());
    for (n, server) in shadows(6, LONG, &gate, &ear).into_iter().enumerate() {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(CHUNKED.to_owned() + &piece("one ")).await;
        tokio::time::sleep(SHORT / 4).await;
        wire.send(piece("two ")).await;
        // The handler runs while its client has not sent all.
        gate.wait_for_entered(n + 1).await;
        wire.send(piece("three") + "0\r\n\r\n").await;
        let answer = wire.read_to_end().await;
        assert!(answer.contains(": one two three"), "{answer}");
        let event = ear.all(n + 1).await.remove(n);
        assert_eq!(event.problem, Some("payload-too-large"));
    }
}

#[tokio::test]
async fn what_is_announced_as_too_large_is_not_read_at_all() {
    let (gate, ear) = (Gate::open(), Ear::default());
    let large = "x".repeat(5_000_000);
    let [keys, lock] = shadows(1000, LONG, &gate, &ear);
    for server in [&keys, &lock] {
        for client in [client(), http2_client()] {
            let request = client.post(server.url("/")).header("idempotency-key", "a");
            let answer = request.body(large.clone()).send().await.unwrap();
            let body = answer.text().await.unwrap();
            assert!(body.ends_with(&format!(": {large}")), "{}", body.len());
        }
    }
    let events = ear.all(4).await;
    assert!(
        events
            .iter()
            .all(|event| event.problem == Some("payload-too-large"))
    );
}

#[tokio::test]
async fn what_stalls_reaches_its_handler_as_it_comes() {
    let (gate, ear) = (Gate::open(), Ear::default());
    for (n, server) in shadows(1000, SHORT, &gate, &ear).into_iter().enumerate() {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(CHUNKED.to_owned() + &piece("one ")).await;
        gate.wait_for_entered(n + 1).await;
        tokio::time::sleep(SHORT * 3 / 2).await;
        wire.send(piece("two") + "0\r\n\r\n").await;
        let answer = wire.read_to_end().await;
        assert!(answer.contains(": one two"), "{answer}");
        let event = ear.all(n + 1).await.remove(n);
        assert_eq!(event.problem, Some("body-timeout"));
    }
}

#[tokio::test]
async fn what_breaks_off_does_so_in_the_handler() {
    let broken = CHUNKED.to_owned() + &piece("one ") + "no length\r\n";
    let (gate, ear) = (Gate::open(), Ear::default());
    let [keys, lock] = shadows(1000, LONG, &gate, &ear);
    let mut answers = Vec::new();
    for server in [bare(&gate), keys, lock] {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(&broken).await;
        let answer = wire.read_to_end().await;
        let without_date = answer.lines().filter(|line| !line.starts_with("date:"));
        answers.push(without_date.collect::<Vec<_>>().join("\n"));
    }
    assert!(answers[0].contains("broken after 4"), "{}", answers[0]);
    assert_eq!(answers[1], answers[0]);
    assert_eq!(answers[2], answers[0]);
    let events = ear.all(2).await;
    assert!(events.iter().all(|event| event.outcome == Outcome::Failed));
}

#[tokio::test]
async fn a_lock_that_ignores_bodies_lets_them_stream() {
    let (gate, ear) = (Gate::open(), Ear::default());
    let lock = lock_on(MemoryStore::new()).ignore_body(true).shadow(true);
    let server = with_lock(&lock.on_event(ear.hears()).build().unwrap(), &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.send(CHUNKED.to_owned() + &piece("one ")).await;
    gate.wait_for_entered(1).await;
    wire.send(piece("two") + "0\r\n\r\n").await;
    let answer = wire.read_to_end().await;
    assert!(answer.contains("run 1: one two"), "{answer}");
    assert_eq!(ear.all(1).await[0].outcome, Outcome::Executed);
}

#[tokio::test]
async fn a_body_that_is_read_whole_is_the_first_ones_too() {
    let (gate, ear) = (Gate::open(), Ear::default());
    for server in shadows(1000, LONG, &gate, &ear) {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(CHUNKED.to_owned() + &piece("one ")).await;
        tokio::time::sleep(SHORT / 4).await;
        wire.send(piece("two") + "0\r\n\r\n").await;
        let answer = wire.read_to_end().await;
        assert!(answer.contains(": one two"), "{answer}");
    }
    let events = ear.all(2).await;
    for event in events {
        assert_eq!(
            (event.outcome, event.request_body),
            (Outcome::Executed, Some(7))
        );
    }
}
