//! Requests that wait for the first one with their key, on both stores.

use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{
    ExpiredLease, Idempotency, InFlight, Scope, StoreFailure, Waiting,
    idempotency::IdempotencyBuilder,
};
use futures_util::future::join_all;

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::Gate,
        keys::{Answer, answer, keys_on, memory_keys, numbered, pay},
        problems::{ProblemKind, assert_refused},
        redis::Redis,
        server::Server,
        wire::Wire,
    },
};

const WAITING: Waiting = Waiting::new(Duration::from_secs(15));
const LONG: InFlight = InFlight::Wait(WAITING);
const SHORT: InFlight = InFlight::Wait(Waiting::new(Duration::from_millis(200)));
/// Less than the look that a waiter takes although nothing was pushed.
const PUSHED: Duration = Duration::from_secs(4);

type Pending = tokio::task::JoinHandle<Answer>;

fn waiting(server: &Server, count: usize) -> Vec<Pending> {
    (0..count)
        .map(|_| tokio::spawn(answer(pay(server, "a", "tea"))))
        .collect()
}

async fn all(answers: Vec<Pending>) -> Vec<Answer> {
    join_all(answers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// Sends the first request and others that wait for it.
async fn first_and_others(server: &Server, gate: &Gate, others: usize) -> (Pending, Vec<Pending>) {
    let first = waiting(server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let others = waiting(server, others);
    // Nothing tells from outside that they wait; if they do not yet, they replay all the same.
    tokio::time::sleep(Duration::from_millis(200)).await;
    (first, others)
}

each_store!(those_who_wait_get_the_answer_of_the_first);
async fn those_who_wait_get_the_answer_of_the_first(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let server = numbered(&keys.on_in_flight(LONG).build().unwrap(), &gate);
    let (first, others) = first_and_others(&server, &gate, 20).await;
    assert!(others.iter().all(|other| !other.is_finished()));
    let woken = Instant::now();
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    for other in all(others).await {
        assert_eq!(other, Answer::replayed(201, "run 1"));
    }
    assert!(woken.elapsed() < PUSHED, "they are told, and need not look");
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn those_of_one_process_share_one_subscription() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = numbered(
        &keys_on(redis.store()).on_in_flight(LONG).build().unwrap(),
        &gate,
    );
    let (first, others) = first_and_others(&server, &gate, 30).await;
    eventually("all have begun and one has looked", async || {
        redis.calls("pttl") >= 31
    })
    .await;
    assert_eq!(redis.calls("ssubscribe"), 1);
    assert_eq!(
        redis.calls("pttl"),
        31,
        "one look for all, and one begin for each"
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(redis.calls("pttl"), 31, "waiting costs nothing");
    gate.let_go(1);
    first.await.unwrap();
    assert!(
        all(others)
            .await
            .iter()
            .all(|answer| answer.status == 201 && answer.is_replay)
    );
    eventually("nobody is subscribed", async || {
        redis.calls("sunsubscribe") == 1
    })
    .await;
}

each_store!(when_the_first_has_no_answer_exactly_one_runs_next);
async fn when_the_first_has_no_answer_exactly_one_runs_next(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let keys = keys.on_in_flight(LONG).build().unwrap();
    let server = failing_first(&keys, &gate);
    let (first, others) = first_and_others(&server, &gate, 10).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(503, "run 1"));
    eventually("the next one runs", async || gate.entered() == 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(gate.entered(), 2, "one of them, and the others wait again");
    gate.let_go(1);
    let mut answers = all(others).await;
    answers.sort();
    assert_eq!(answers[0], Answer::executed(201, "run 2"));
    assert!(
        answers[1..]
            .iter()
            .all(|other| *other == Answer::replayed(201, "run 2"))
    );
    assert_eq!(gate.entered(), 2);
}

/// A server whose first run fails.
fn failing_first(keys: &Idempotency, gate: &Gate) -> Server {
    let (keys, gate) = (keys.clone(), gate.clone());
    serve!(
        2,
        App::new()
            .wrap(keys.clone())
            .app_data(web::Data::new(gate.clone()))
            .default_service(web::to(async |gate: web::Data<Gate>| {
                let run = gate.pass().await;
                let mut answer = match run {
                    1 => HttpResponse::ServiceUnavailable(),
                    _ => HttpResponse::Created(),
                };
                answer.body(format!("run {run}"))
            }))
    )
}

each_store!(who_waits_too_long_is_told_so_and_touches_nothing);
async fn who_waits_too_long_is_told_so_and_touches_nothing(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let server = numbered(&keys.on_in_flight(SHORT).build().unwrap(), &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let begun = Instant::now();
    assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
    assert!(begun.elapsed() >= Duration::from_millis(200));
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert!(answer(pay(&server, "a", "tea")).await.is_replay);
    assert_eq!(gate.entered(), 1);
}

each_store!(who_leaves_while_waiting_touches_nothing);
async fn who_leaves_while_waiting_touches_nothing(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let keys = keys.on_in_flight(LONG).build().unwrap();
    let server = numbered(&keys, &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    for _ in 0..5 {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(
            "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 3\r\n\r\ntea",
        )
        .await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        wire.reset();
    }
    gate.let_go(10);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert!(answer(pay(&server, "a", "tea")).await.is_replay);
    assert!(keys.drain(Duration::from_secs(5)).await);
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn the_number_of_those_who_wait_is_bounded() {
    let gate = Gate::closed();
    let keys = memory_keys().on_in_flight(InFlight::Wait(WAITING.max_waiters(2)));
    let server = numbered(&keys.build().unwrap(), &gate);
    let (first, others) = first_and_others(&server, &gate, 2).await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
    gate.let_go(1);
    first.await.unwrap();
    assert!(all(others).await.iter().all(|other| other.is_replay));
    // Their places are free again.
    let (other, waits) = {
        let other = tokio::spawn(answer(pay(&server, "b", "tea")));
        gate.wait_for_entered(2).await;
        (
            other,
            (0..2)
                .map(|_| tokio::spawn(answer(pay(&server, "b", "tea"))))
                .collect(),
        )
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.let_go(1);
    other.await.unwrap();
    assert!(all(waits).await.iter().all(|other| other.is_replay));
}

#[tokio::test]
async fn another_fingerprint_does_not_wait() {
    let gate = Gate::closed();
    let server = numbered(&memory_keys().on_in_flight(LONG).build().unwrap(), &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    assert_refused(pay(&server, "a", "coffee"), ProblemKind::KeyReused).await;
    gate.let_go(1);
    first.await.unwrap();
}

each_store!(who_waits_for_a_dead_owner_runs_when_its_lease_has_lapsed);
async fn who_waits_for_a_dead_owner_runs_when_its_lease_has_lapsed(backend: &Backend) {
    let lease = Duration::from_millis(300);
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let keys = backend.keys().key_prefix(format!("{policy:?}"));
        let keys = keys
            .lease(lease)
            .renew_for(lease)
            .on_in_flight(LONG)
            .on_expired_lease(policy);
        let gate = Gate::closed();
        let server = numbered(&keys.build().unwrap(), &gate);
        let (hung, others) = first_and_others(&server, &gate, 3).await;
        match policy {
            ExpiredLease::Refuse => {
                let refused = all(others).await;
                assert!(refused.iter().all(|other| other.status == 409));
                assert!(
                    refused
                        .iter()
                        .all(|other| other.body.contains("outcome-unknown"))
                );
                assert_eq!(gate.entered(), 1);
            }
            _ => {
                eventually("the next one runs", async || gate.entered() == 2).await;
                gate.let_go(2);
                let mut answers = all(others).await;
                answers.sort();
                assert_eq!(answers[0].status, 201);
                assert_eq!(gate.entered(), 2);
            }
        }
        gate.let_go(2);
        hung.await.unwrap();
    }
}

/// Waits, and tells what was applied.
async fn preferring(server: &Server, prefer: &'static str) -> (u16, Option<String>) {
    let answer = pay(server, "a", "tea")
        .header("prefer", prefer)
        .send()
        .await
        .unwrap();
    let applied = answer.headers().get("preference-applied");
    let applied = applied.map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), applied)
}

fn choosy(waiting: Waiting) -> IdempotencyBuilder {
    memory_keys().on_in_flight(InFlight::Wait(waiting.honor_prefer(true)))
}

#[tokio::test]
async fn a_client_may_shorten_its_wait_when_that_is_switched_on() {
    let gate = Gate::closed();
    let server = numbered(&choosy(WAITING).build().unwrap(), &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let begun = Instant::now();
    assert_eq!(
        preferring(&server, "wait=1").await,
        (409, Some("wait=1".to_owned()))
    );
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        preferring(&server, "wait=0").await,
        (409, None),
        "it has not waited"
    );
    let patient = tokio::spawn({
        let request = pay(&server, "a", "tea").header("prefer", "wait=100");
        async move { request.send().await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.let_go(1);
    let patient = patient.await.unwrap();
    assert_eq!(
        patient.headers()["preference-applied"],
        "wait=15",
        "never longer than configured"
    );
    assert_eq!(patient.headers()["idempotent-replayed"], "true");
    first.await.unwrap();
    assert_eq!(
        preferring(&server, "wait=5").await,
        (201, None),
        "there was nothing to wait for"
    );
}

#[tokio::test]
async fn preference_is_confirmed_to_those_who_stated_one_in_whole_seconds() {
    let gate = Gate::closed();
    let short = Waiting::new(Duration::from_millis(700));
    let server = numbered(&choosy(short).build().unwrap(), &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    for stated in ["respond-async", "wait=abc", "wait", "a=\"wait=1\""] {
        assert_eq!(preferring(&server, stated).await, (409, None), "{stated}");
    }
    let none = pay(&server, "a", "tea").send().await.unwrap();
    assert_eq!(none.status(), 409);
    assert!(!none.headers().contains_key("preference-applied"));
    // 700 ms is the longest, and no number of seconds.
    assert_eq!(
        preferring(&server, "wait=5").await,
        (409, Some("wait=1".to_owned()))
    );
    gate.let_go(1);
    first.await.unwrap();
}

#[tokio::test]
async fn the_preference_is_ignored_unless_it_is_switched_on() {
    let gate = Gate::closed();
    let server = numbered(&memory_keys().on_in_flight(SHORT).build().unwrap(), &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let begun = Instant::now();
    assert_eq!(preferring(&server, "wait=0").await, (409, None));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    gate.let_go(1);
    first.await.unwrap();
}

#[tokio::test]
async fn the_preference_of_one_request_is_not_recorded_for_others() {
    let gate = Gate::closed();
    let keys = choosy(WAITING).build().unwrap();
    let server = failing_first(&keys, &gate);
    let first = waiting(&server, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let next = tokio::spawn({
        let request = pay(&server, "a", "tea").header("prefer", "wait=9");
        async move { request.send().await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    gate.let_go(2);
    assert_eq!(first.await.unwrap().status, 503);
    let next = next.await.unwrap();
    assert_eq!((next.status().as_u16(), gate.entered()), (201, 2));
    assert_eq!(next.headers()["preference-applied"], "wait=9");
    let replay = pay(&server, "a", "tea").send().await.unwrap();
    assert_eq!(replay.headers()["idempotent-replayed"], "true");
    assert!(!replay.headers().contains_key("preference-applied"));
}

#[tokio::test]
async fn who_has_seen_the_first_run_does_not_run_when_the_store_goes_away() {
    let mut redis = Redis::start();
    let keys = Idempotency::builder(redis.store(), Scope::global())
        .on_in_flight(InFlight::Wait(Duration::from_secs(2).into()))
        .on_store_failure(StoreFailure::FailOpen)
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let (first, others) = first_and_others(&server, &gate, 3).await;
    redis.kill();
    for other in others {
        let answered = other.await.unwrap();
        assert_eq!(answered.status, 409);
        assert!(answered.body.contains("in-flight"), "{answered:?}");
    }
    assert_eq!(
        gate.entered(),
        1,
        "though it fails open, it knows that the first runs"
    );
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
}

#[tokio::test]
async fn a_wait_survives_a_redis_that_restarts() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = numbered(
        &keys_on(redis.store()).on_in_flight(LONG).build().unwrap(),
        &gate,
    );
    let (first, others) = first_and_others(&server, &gate, 3).await;
    redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    redis.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    for other in all(others).await {
        assert_eq!(other, Answer::replayed(201, "run 1"));
    }
}

#[tokio::test]
async fn two_processes_wait_for_each_other() {
    // Two stores are two processes as far as they can tell.
    let redis = Redis::start();
    let gate = Gate::closed();
    let [one, other] = [0, 1].map(|_| {
        numbered(
            &keys_on(redis.store()).on_in_flight(LONG).build().unwrap(),
            &gate,
        )
    });
    let first = waiting(&one, 1).pop().unwrap();
    gate.wait_for_entered(1).await;
    let others = waiting(&one, 5)
        .into_iter()
        .chain(waiting(&other, 5))
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let woken = Instant::now();
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert!(all(others).await.iter().all(|other| other.is_replay));
    assert!(woken.elapsed() < PUSHED);
    assert_refused(pay(&other, "a", "coffee"), ProblemKind::KeyReused).await;
}
