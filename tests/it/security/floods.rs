//! Who sends much takes much from nobody but himself.

use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, web};
use actix_web_idempotency::{
    Idempotency, InFlight, MemoryStore, Scope, Waiting,
    store::{Cursor, Inspect},
};
use futures_util::future::join_all;
use reqwest::RequestBuilder;

use super::{by_tenant, with_scope};
use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::{Gate, gated},
        keys::{Answer, answer, numbered, pay},
        locks::lock_on,
        problems::{ProblemKind, assert_problem, assert_refused},
        server::{Server, client, post, status},
        wire::Wire,
    },
};

fn pay_as(server: &Server, tenant: &'static str, key: &str) -> RequestBuilder {
    pay(server, key, "tea").header("x-tenant", tenant)
}

/// Who asks for it stands in the gate; all others are answered with the number of their run.
fn holding(keys: Idempotency, runs: &Gate, held: &Gate) -> Server {
    let (runs, held) = (runs.clone(), held.clone());
    serve!({
        let (runs, held) = (runs.clone(), held.clone());
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(move |req: HttpRequest| {
                let (runs, held) = (runs.clone(), held.clone());
                async move {
                    if req.headers().contains_key("x-hold") {
                        held.pass().await;
                    }
                    let run = runs.pass().await;
                    HttpResponse::Created().body(format!("run {run}"))
                }
            }))
    })
}

#[tokio::test]
async fn a_flood_of_fresh_keys_makes_no_other_key_forgotten() {
    const ROOM: usize = 60;
    let store = MemoryStore::builder().max_entries(ROOM).build().unwrap();
    let keys = with_scope(store, Scope::header("x-tenant")).build();
    let (runs, held) = (Gate::open(), Gate::closed());
    let server = holding(keys.unwrap(), &runs, &held);
    let done = answer(pay_as(&server, "ann", "done")).await;
    assert_eq!(done, Answer::executed(201, "run 1"));
    let running = pay_as(&server, "ann", "running").header("x-hold", "1");
    let running = tokio::spawn(answer(running));
    held.wait_for_entered(1).await;

    let flood = client();
    let mut refused = 0;
    for n in 0..2 * ROOM {
        let request = flood.post(server.url("/")).header("x-tenant", "eve");
        let told = request
            .header("idempotency-key", n.to_string())
            .send()
            .await;
        match told.unwrap().status().as_u16() {
            201 => {}
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 2 * ROOM - (ROOM - 2), "the bound holds");
    assert_refused(pay_as(&server, "ann", "running"), ProblemKind::InFlight).await;
    assert_eq!(
        answer(pay_as(&server, "ann", "done")).await,
        Answer::replayed(201, done.body)
    );
    held.let_go(1);
    let first = running.await.unwrap();
    assert_eq!((first.status, first.is_replay), (201, false));
    assert_eq!(
        answer(pay_as(&server, "ann", "running")).await,
        Answer::replayed(201, first.body)
    );
    assert_eq!(
        runs.entered(),
        ROOM,
        "two of ann, and what there was room for"
    );
}

/// How an answer is made, by one who decides what is in it.
fn large(keys: Idempotency, gate: &Gate) -> Server {
    let gate = gate.clone();
    serve!({
        let gate = gate.clone();
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(move || {
                let gate = gate.clone();
                async move {
                    let n = gate.pass().await;
                    let mut answer = HttpResponse::Created();
                    answer.insert_header(("location", format!("/{n}/{}", "x".repeat(300))));
                    answer
                        .insert_header(("x-large", "x".repeat(2000)))
                        .body("x".repeat(2000))
                }
            }))
    })
}

#[tokio::test]
async fn a_flood_of_large_answers_takes_answers_and_no_keys() {
    let store = MemoryStore::builder().max_bytes(20_000).build().unwrap();
    let keys = with_scope(store.clone(), Scope::header("x-tenant")).build();
    let gate = Gate::open();
    let server = large(keys.unwrap(), &gate);
    assert_eq!(answer(pay_as(&server, "ann", "a")).await.status, 201);
    for n in 0..100 {
        assert_eq!(
            answer(pay_as(&server, "eve", &n.to_string())).await.status,
            201
        );
        let held = format!("{store:?}");
        let bytes = held.split("bytes: ").nth(1).unwrap();
        let digits = bytes.split(|c: char| !c.is_ascii_digit()).next().unwrap();
        let bytes: usize = digits.parse().unwrap();
        assert!(bytes <= 20_000, "{held}");
    }
    let told = pay_as(&server, "ann", "a").send().await.unwrap();
    assert_problem(told, ProblemKind::ResponseNotStored).await;
    for n in 0..100 {
        let told = answer(pay_as(&server, "eve", &n.to_string())).await;
        assert!(
            told.status == 409 || told.is_replay,
            "{n} is forgotten: {told:?}"
        );
    }
    assert_eq!(gate.entered(), 101);
}

each_store!(a_crowd_at_one_key_is_turned_away_and_keeps_nobody_from_other_keys);
async fn a_crowd_at_one_key_is_turned_away_and_keeps_nobody_from_other_keys(backend: &Backend) {
    const PLACES: usize = 4;
    let gate = Gate::closed();
    let keys = by_tenant(backend).on_in_flight(InFlight::Wait(
        Waiting::new(Duration::from_secs(20)).max_waiters(PLACES),
    ));
    let server = numbered(&keys.build().unwrap(), &gate);
    let first = tokio::spawn(answer(pay_as(&server, "eve", "a")));
    gate.wait_for_entered(1).await;
    let crowd: Vec<_> = (0..40)
        .map(|_| tokio::spawn(answer(pay_as(&server, "eve", "a"))))
        .collect();
    eventually("all but those with a place are answered", async || {
        crowd.iter().filter(|one| one.is_finished()).count() == 40 - PLACES
    })
    .await;
    assert!(!first.is_finished());
    gate.let_go(1);
    let ann = tokio::spawn(answer(pay_as(&server, "ann", "a")));
    eventually("first or ann is let go", async || {
        first.is_finished() || ann.is_finished()
    })
    .await;
    gate.let_go(1);
    assert_eq!(ann.await.unwrap().status, 201);
    assert_eq!(first.await.unwrap().status, 201);
    let told = join_all(crowd).await.into_iter().map(Result::unwrap);
    let (waited, refused): (Vec<_>, Vec<_>) = told.partition(|told| told.status == 201);
    assert_eq!((waited.len(), refused.len()), (PLACES, 40 - PLACES));
    assert!(waited.iter().all(|told| told.is_replay));
    assert!(
        refused
            .iter()
            .all(|told| told.status == 409 && told.body.contains("#in-flight"))
    );
}

/// Both middlewares around a handler that answers at once.
fn impatient(store: &MemoryStore) -> [Server; 2] {
    let pause = Duration::from_millis(300);
    let keys = with_scope(store.clone(), Scope::global()).body_timeout(pause);
    let lock = lock_on(store.clone()).body_timeout(pause).build().unwrap();
    [
        numbered(&keys.build().unwrap(), &Gate::open()),
        gated(lock, &Gate::open()),
    ]
}

#[tokio::test]
async fn many_uploads_that_stall_hold_nothing_and_keep_nobody_waiting() {
    const MANY: usize = 40;
    let store = MemoryStore::new();
    for server in impatient(&store) {
        let mut stalled = Vec::new();
        for n in 0..MANY {
            let mut wire = Wire::to(server.addr()).await;
            let head = format!(
                "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: {n}\r\ncontent-length: 1000000\r\n\r\nx"
            );
            wire.send(head).await;
            stalled.push(wire);
        }
        let page = store
            .list("", &Cursor::start(), 10.try_into().unwrap())
            .await;
        assert!(
            page.unwrap().entries.is_empty(),
            "a key is held by an upload"
        );
        assert_eq!(status(post(&server, "/", "x")).await, 201);
        for mut wire in stalled {
            assert!(
                wire.read_until("body-timeout")
                    .await
                    .starts_with("HTTP/1.1 408")
            );
        }
    }
}

#[tokio::test]
async fn a_crowd_of_refused_requests_leaves_nothing_behind() {
    let store = MemoryStore::new();
    let keys = with_scope(store.clone(), Scope::header("x-tenant")).required(true);
    let server = numbered(&keys.max_body(10).build().unwrap(), &Gate::open());
    let long = "k".repeat(256);
    for n in 0..50 {
        let request = post(&server, &format!("/{n}"), "tea");
        assert_refused(request, ProblemKind::KeyMissing).await;
        assert_refused(pay(&server, &long, "tea"), ProblemKind::KeyInvalid).await;
        assert_refused(pay(&server, "a", "tea"), ProblemKind::ScopeMissing).await;
        let large = pay_as(&server, "eve", "a").body("more than ten bytes");
        assert_refused(large, ProblemKind::PayloadTooLarge).await;
    }
    assert!(format!("{store:?}").contains("entries: 0"), "{store:?}");
}
