//! Mistakes of set-up that a guard can see: each is reported once, with its cure, and refused requests of
//! an outage do not flood the log.

use std::time::Duration;

use actix_web::{
    App, HttpResponse,
    http::header::{CONTENT_ENCODING, ContentEncoding},
    middleware::Compress,
    web,
};
use actix_web_idempotency::{
    ApiLock, Idempotency, MemoryStore, Scope, StoreFailure,
    event::IncidentKind,
    testing::{Call, Fault, FaultyStore},
};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::{
    serve,
    support::{
        GENEROUS,
        ear::Ear,
        gate::{Gate, gated},
        keys::{answer, keys_on, memory_keys, numbered, pay},
        locks::lock_on,
        log,
        server::{Server, client, post},
        wire::Wire,
    },
};

async fn detail(answer: Response) -> String {
    let problem: Value = answer.json().await.unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

fn servers(lock: &ApiLock, keys: &Idempotency) -> [Server; 2] {
    [
        gated(lock.clone(), &Gate::open()),
        numbered(keys, &Gate::open()),
    ]
}

#[tokio::test]
async fn body_over_the_limit_is_told_the_limit_and_reported_once() {
    log::collect();
    for (shadow, max_body) in [(false, 5_432), (true, 5_433)] {
        let ear = Ear::default();
        let lock = lock_on(MemoryStore::new())
            .max_body(max_body)
            .on_event(ear.hears());
        let keys = memory_keys().max_body(max_body).on_event(ear.hears());
        let (lock, keys) = match shadow {
            false => (lock, keys),
            true => (lock.shadow(true), keys.shadow(true)),
        };
        for server in servers(&lock.build().unwrap(), &keys.build().unwrap()) {
            for _ in 0..3 {
                let request = client()
                    .post(server.url("/"))
                    .body("x".repeat(max_body + 1));
                let answer = request.header("idempotency-key", "a").send().await.unwrap();
                if shadow {
                    assert_eq!(answer.status(), 201);
                    continue;
                }
                assert_eq!(answer.status(), 413);
                let detail = detail(answer).await;
                assert_eq!(detail, format!("Send a body of at most {max_body} bytes."));
            }
        }
        assert_eq!(
            ear.incidents(),
            [IncidentKind::BodyRefused; 2],
            "once for each guard"
        );
        let said = log::lines_with(&format!("max_body ({max_body} bytes); raise"));
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().all(|line| line.contains("WARN")), "{said:?}");
    }
}

#[tokio::test]
async fn body_that_stalls_is_reported_with_the_setting() {
    log::collect();
    let ear = Ear::default();
    let stall = Duration::from_millis(123);
    let keys = memory_keys().body_timeout(stall).on_event(ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    for _ in 0..2 {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(
            "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 9\r\n\r\nhalf",
        )
        .await;
        wire.read_until("body-timeout").await;
    }
    assert_eq!(ear.incidents(), [IncidentKind::BodyRefused]);
    let said = log::lines_with("body_timeout (123ms); raise");
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn first_missing_scope_is_reported_with_the_cure() {
    log::collect();
    let ear = Ear::default();
    let scope = Scope::from_fn(|_req| None::<String>);
    let keys = Idempotency::builder(MemoryStore::new(), scope).on_event(ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    for _ in 0..3 {
        assert_eq!(answer(pay(&server, "a", "tea")).await.status, 401);
    }
    assert_eq!(ear.incidents(), [IncidentKind::ScopeMissing]);
    assert!(!log::lines_with("wrap Idempotency inside of the authentication").is_empty());
}

/// Wrapped outside of `Compress`, a guard records what one client accepts; inside of it, what all do.
#[tokio::test]
async fn recorded_encoding_is_reported_and_none_is_inside_of_compress() {
    log::collect();
    for (is_outside, expected) in [(true, 1), (false, 0)] {
        let ear = Ear::default();
        let keys = memory_keys().on_event(ear.hears()).build().unwrap();
        let served = keys.clone();
        let server = serve!({
            let large = || web::to(async || HttpResponse::Created().body("tea ".repeat(1000)));
            let (inner, outer) = (served.clone(), served.clone());
            match is_outside {
                true => App::new().service(
                    web::scope("")
                        .wrap(Compress::default())
                        .wrap(outer)
                        .default_service(large()),
                ),
                false => App::new().service(
                    web::scope("")
                        .wrap(inner)
                        .wrap(Compress::default())
                        .default_service(large()),
                ),
            }
        });
        let sent = async |encoding: &str| {
            let request = pay(&server, "a", "x").header("accept-encoding", encoding);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::CREATED);
            let encoding = answer.headers().get(CONTENT_ENCODING.as_str());
            let encoding = encoding.map(|it| it.to_str().unwrap().to_owned());
            // What is compressed as it is sent is recorded when it has been sent.
            answer.bytes().await.unwrap();
            assert!(keys.drain(GENEROUS).await);
            encoding
        };
        let gzip = ContentEncoding::Gzip.as_str();
        assert_eq!(sent("gzip").await.as_deref(), Some(gzip));
        // The replay to a client that does not accept it is why this is a mistake.
        let replayed = sent("identity").await;
        assert_eq!(replayed.as_deref(), is_outside.then_some(gzip));
        assert_eq!(
            ear.incidents(),
            vec![IncidentKind::EncodedResponse; expected]
        );
    }
    assert!(!log::lines_with("wrap Idempotency inside of Compress").is_empty());
}

#[tokio::test]
async fn shadow_says_at_build_that_it_is_one() {
    log::collect();
    lock_on(MemoryStore::new()).shadow(true).build().unwrap();
    memory_keys().shadow(true).build().unwrap();
    for guard in ["ApiLock", "Idempotency"] {
        let said = log::lines_with(&format!("{guard} is built as a shadow"));
        assert!(said.iter().any(|line| line.contains("INFO")), "{said:?}");
    }
}

#[tokio::test]
async fn refusals_of_an_outage_are_one_line_a_second_and_unguarded_runs_one_each() {
    log::collect();
    let store = FaultyStore::new(MemoryStore::new());
    let prefix = "quiet-outage:";
    let closed = keys_on(store.clone()).key_prefix(prefix).build().unwrap();
    let open = keys_on(store.clone())
        .key_prefix("loud-outage:")
        .on_store_failure(StoreFailure::FailOpen)
        .build()
        .unwrap();
    let (closed, open) = (
        numbered(&closed, &Gate::open()),
        numbered(&open, &Gate::open()),
    );
    store.always(Call::Begin, Fault::Unavailable);
    for _ in 0..30 {
        assert_eq!(answer(pay(&closed, "a", "tea")).await.status, 503);
    }
    for _ in 0..5 {
        assert_eq!(answer(pay(&open, "a", "tea")).await.status, 201);
    }
    let first = log::lines_with(prefix);
    let first: Vec<_> = first
        .iter()
        .filter(|line| line.contains("does not run"))
        .collect();
    assert_eq!(first.len(), 1, "{first:?}");
    // Somebody reconciles by these.
    let unguarded = log::lines_with("loud-outage:");
    assert_eq!(
        unguarded
            .iter()
            .filter(|line| line.contains("runs unguarded"))
            .count(),
        5
    );

    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(answer(pay(&closed, "a", "tea")).await.status, 503);
    let summed = log::lines_with("more requests do not run");
    let summed: Vec<_> = summed.iter().filter(|line| line.contains(prefix)).collect();
    assert!(!summed.is_empty());
    store.recover();
    assert_eq!(answer(pay(&closed, "a", "tea")).await.status, 201);
    assert!(!log::lines_with("the store replies again: 31 requests were refused").is_empty());
    assert_eq!(
        answer(post(&closed, "/", "x")).await.status,
        201,
        "it goes on"
    );
}
