//! What a shadow does not change, and what the first request leaves behind.

use std::time::{Duration, Instant};

use actix_web::{App, Error, HttpResponse, web};
use actix_web_idempotency::{
    Claim, ExpiredLease, IdempotencyKey, InFlight, MemoryStore,
    event::{Ending, Outcome},
    store::StoreErrorKind,
    testing::{Call, Fault, FaultyStore},
};

use futures_util::FutureExt;

use super::{told, with_keys, with_lock};
use crate::{
    serve,
    support::{
        ear::Ear,
        eventually,
        gate::Gate,
        keys::{Answer, answer, keys_on, memory_keys, numbered, pay},
        locks::lock_on,
        redis::Redis,
        server::post,
        wire::Wire,
    },
};

/// What a client sends that will leave.
const BY_WIRE: &str =
    "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 3\r\n\r\ntea";

#[tokio::test]
async fn the_first_one_is_recorded_and_replayed_once_it_is_switched_on() {
    let store = FaultyStore::new(MemoryStore::new());
    let shadow = keys_on(store.clone()).shadow(true).build().unwrap();
    let gate = Gate::open();
    let server = numbered(&shadow, &gate);
    for run in 1..=3 {
        let own = Answer::executed(201, format!("run {run}"));
        assert_eq!(answer(pay(&server, "a", "tea")).await, own);
    }
    store.assert_calls(Call::Begin, 3);
    store.assert_calls(Call::Complete, 1);
    store.assert_calls(Call::Release, 0);
    let real = numbered(&keys_on(store).build().unwrap(), &gate);
    let first = Answer::replayed(201, "run 1");
    assert_eq!(answer(pay(&real, "a", "tea")).await, first);
}

#[tokio::test]
async fn the_lock_of_the_first_one_is_not_freed_by_another() {
    let store = FaultyStore::new(MemoryStore::new());
    let (gate, ear) = (Gate::closed(), Ear::default());
    let shadow = lock_on(store.clone()).shadow(true).on_event(ear.hears());
    let server = with_lock(&shadow.build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    for n in 1..=2 {
        let mut other = Wire::to(server.addr()).await;
        other.request("POST", "/", "x").await;
        gate.wait_for_entered(n + 1).await;
        other.reset();
        assert_eq!(ear.all(n).await[n - 1].outcome, Outcome::InFlight);
    }
    store.assert_calls(Call::Release, 0);
    gate.let_go(1);
    first.await.unwrap().unwrap();
    eventually("it is free", async || store.calls(Call::Release) == 1).await;
    let real = with_lock(&lock_on(store.clone()).build().unwrap(), &Gate::open());
    assert_eq!(post(&real, "/", "x").send().await.unwrap().status(), 201);
}

#[tokio::test]
async fn what_a_handler_can_ask_for() {
    let keys = memory_keys().shadow(true).build().unwrap();
    let tell = async |key: Option<IdempotencyKey>, claim: Option<Claim>| {
        let key = key.map(|key| key.as_str().to_owned());
        format!("{key:?} {:?}", claim.map(|claim| claim.attempt()))
    };
    let server = serve!(App::new().wrap(keys.clone()).default_service(web::to(tell)));
    let tell = async |key: &str, body| answer(pay(&server, key, body)).await.body;
    assert_eq!(tell("a", "tea").await, r#"Some("a") Some(1)"#);
    assert_eq!(tell("a", "tea").await, r#"Some("a") Some(1)"#);
    assert_eq!(tell("a", "coffee").await, r#"Some("a") Some(1)"#);
    assert_eq!(tell("not valid", "tea").await, "None Some(1)");
}

async fn relies_on_its_claim(claim: Claim, gate: web::Data<Gate>) -> Result<String, Error> {
    gate.pass().await;
    claim.retain_for(Duration::from_secs(60));
    let token = claim.fencing_token().await?;
    assert!(token.0 > 1_700_000_000_000_000, "microseconds since 1970");
    assert!(!claim.is_lost() && claim.lost().now_or_never().is_none());
    Ok(claim.attempt().to_string())
}

#[tokio::test]
async fn claim_is_there_whatever_would_become_of_its_request_and_stops_no_handler() {
    let faulty = FaultyStore::new(MemoryStore::new());
    faulty.always(Call::Renew, Fault::Unavailable);
    let gate = Gate::closed();
    let lease = Duration::from_millis(100);
    let keys = keys_on(faulty.clone()).lease(lease).shadow(true);
    let keys = keys.build().unwrap();
    let data = web::Data::new(gate.clone());
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .app_data(data.clone())
            .default_service(web::to(relies_on_its_claim))
    );
    let ran = Answer::executed(200, "1");
    let lapsed = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    tokio::time::sleep(2 * lease).await;
    gate.let_go(1000);
    assert_eq!(lapsed.await.unwrap(), ran, "its lease has ended");
    assert_eq!(answer(pay(&server, "a", "tea")).await, ran, "a replay");
    assert_eq!(answer(pay(&server, "a", "coffee")).await, ran, "a mismatch");
    faulty.next(Call::Begin, Fault::Unavailable);
    assert_eq!(answer(pay(&server, "b", "tea")).await, ran, "no store");
}

#[tokio::test]
async fn a_handler_ends_with_its_client_and_its_key_is_free() {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let (gate, ear) = (Gate::closed(), Ear::default());
        let keys = memory_keys().on_expired_lease(policy).shadow(true);
        let server = with_keys(&keys.on_event(ear.hears()).build().unwrap(), &gate);
        let mut wire = Wire::to(server.addr()).await;
        wire.send(BY_WIRE).await;
        gate.wait_for_entered(1).await;
        wire.reset();
        let event = ear.all(1).await.remove(0);
        assert_eq!(
            (event.outcome, event.handler_duration),
            (Outcome::Executed, None)
        );
        assert_eq!(event.ending, Some(Ending::Freed));
        gate.let_go(1000);
        told(pay(&server, "a", "tea")).await.unwrap();
        let next = ear.all(2).await.remove(1);
        assert_eq!(next.outcome, Outcome::Executed, "it has the claim");
        assert_eq!(gate.entered() - gate.left(), 1, "the first one was cut off");
    }
}

#[tokio::test]
async fn a_panic_goes_on_and_what_becomes_of_the_key_is_as_otherwise() {
    for (policy, ending, retry) in [
        (ExpiredLease::Reexecute, Ending::Freed, Outcome::Executed),
        (ExpiredLease::Refuse, Ending::Lapsed, Outcome::Unknown),
    ] {
        let ear = Ear::default();
        let lease = Duration::from_millis(100);
        let keys = memory_keys()
            .lease(lease)
            .on_expired_lease(policy)
            .shadow(true);
        let keys = keys.on_event(ear.hears()).build().unwrap();
        let server = serve!(App::new().wrap(keys.clone()).default_service(web::to(
            async |body: String| match body.as_str() {
                "panic" => std::panic::resume_unwind(Box::new("on purpose")),
                _ => HttpResponse::Created(),
            }
        )));
        let panics = pay(&server, "a", "panic").send().await;
        panics.expect_err("as without a middleware, the connection breaks");
        let event = ear.all(1).await.remove(0);
        assert_eq!((event.outcome, event.status), (Outcome::Executed, None));
        assert_eq!(
            (event.ending, event.handler_duration.is_some()),
            (Some(ending), false)
        );
        tokio::time::sleep(2 * lease).await;
        pay(&server, "a", "panic").send().await.unwrap_err();
        assert_eq!(ear.all(2).await[1].outcome, retry);
    }
}

#[tokio::test]
async fn what_passes_is_no_event_and_keeps_its_body() {
    let (gate, ear) = (Gate::open(), Ear::default());
    let keys = memory_keys().shadow(true).on_event(ear.hears());
    let server = with_keys(&keys.build().unwrap(), &gate);
    let answer = told(post(&server, "/", "without a key")).await.unwrap();
    assert_eq!(answer.body, "run 1: without a key");
    let lock = lock_on(MemoryStore::new()).skip(|_| true).shadow(true);
    let server = with_lock(&lock.on_event(ear.hears()).build().unwrap(), &gate);
    let answer = told(post(&server, "/", "skipped")).await.unwrap();
    assert_eq!(answer.body, "run 2: skipped");
    ear.all(0).await;
}

#[tokio::test]
async fn a_client_that_leaves_one_that_only_runs_is_told_of() {
    let (gate, ear) = (Gate::closed(), Ear::default());
    let keys = memory_keys().shadow(true).on_event(ear.hears());
    let server = with_keys(&keys.build().unwrap(), &gate);
    gate.let_go(1);
    told(pay(&server, "a", "tea")).await.unwrap();
    let mut wire = Wire::to(server.addr()).await;
    wire.send(BY_WIRE).await;
    gate.wait_for_entered(2).await;
    wire.reset();
    let event = ear.all(2).await.remove(1);
    assert_eq!((event.outcome, event.shadow), (Outcome::Replayed, true));
    assert_eq!((event.status, event.handler_duration), (None, None));
}

#[tokio::test]
async fn nobody_waits() {
    let (gate, ear) = (Gate::closed(), Ear::default());
    let keys = memory_keys().on_in_flight(InFlight::Wait(Duration::from_secs(60).into()));
    let keys = keys.shadow(true).on_event(ear.hears()).build().unwrap();
    let server = with_keys(&keys, &gate);
    let first = tokio::spawn(told(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    let second = tokio::spawn(told(pay(&server, "a", "tea")));
    gate.wait_for_entered(2).await;
    gate.let_go(2);
    assert_eq!(first.await.unwrap().unwrap().body, "run 1: tea");
    assert_eq!(second.await.unwrap().unwrap().body, "run 2: tea");
    let events = ear.all(2).await;
    let second = events
        .iter()
        .find(|event| event.outcome == Outcome::InFlight);
    let second = second.unwrap();
    assert_eq!((second.problem, second.wait_duration), (None, None));
    assert!(second.lease_left.is_some());
}

#[tokio::test]
async fn a_store_that_hangs_delays_a_request_by_its_time_out_and_no_more() {
    let redis = Redis::start();
    let (gate, ear) = (Gate::open(), Ear::default());
    let keys = keys_on(redis.default_store())
        .shadow(true)
        .on_event(ear.hears());
    let lock = lock_on(redis.default_store())
        .shadow(true)
        .on_event(ear.hears());
    let servers = [
        with_keys(&keys.build().unwrap(), &gate),
        with_lock(&lock.build().unwrap(), &gate),
    ];
    for server in &servers {
        assert_eq!(told(pay(server, "a", "tea")).await.unwrap().status, 201);
    }
    redis.freeze();
    for server in &servers {
        let begun = Instant::now();
        assert_eq!(told(pay(server, "b", "tea")).await.unwrap().status, 201);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    redis.thaw();
    let events = ear.all(4).await;
    for event in &events[2..] {
        assert_eq!(event.outcome, Outcome::StoreError);
        assert_eq!(event.store_error, Some(StoreErrorKind::Timeout));
    }
}
