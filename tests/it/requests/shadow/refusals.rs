//! Each of the refusals, once by the real middleware, and once by its shadow: which lets it run.

use std::time::Duration;

use actix_web::{Error, error::ErrorUnauthorized};
use actix_web_idempotency::{
    ApiLock, Fingerprinting, Idempotency, InFlight, KeySource, MemoryStore, Recording, Scope,
    StoreFailure,
    api_lock::{ApiLockBuilder, LockPayload},
    event::{Outcome, RequestEvent},
    idempotency::IdempotencyBuilder,
    testing::{Fault, FaultyStore},
};
use reqwest::RequestBuilder;

use super::{Told, bare, told, with_keys, with_lock};
use crate::support::{
    ear::Ear,
    eventually,
    gate::Gate,
    keys::{keys_on, memory_keys, pay},
    locks::lock_on,
    log,
    server::{Server, post},
};

const BODY: &str = r#"{"item": "tea", "count": 1}"#;

/// What comes before the request that is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    /// A request with the same key, which has been answered.
    Answered(&'static str),
    /// The same, which still runs.
    Running(&'static str),
}
use Before::{Answered, Nothing, Running};

/// One way of being refused or replayed.
struct Row<B> {
    name: &'static str,
    guard: fn() -> B,
    before: Before,
    request: fn(&Server) -> RequestBuilder,
    /// What the real middleware answers; `None` when the connection breaks.
    really: Option<u16>,
    would: Outcome,
    problem: Option<&'static str>,
}

fn tea(server: &Server) -> RequestBuilder {
    pay(server, "a", BODY).header("content-type", "application/json")
}

fn without_a_key(server: &Server) -> RequestBuilder {
    post(server, "/", BODY)
}

fn away() -> FaultyStore<MemoryStore> {
    let store = FaultyStore::new(MemoryStore::new());
    store.away(Fault::Unavailable);
    store
}

const SECRET: &str = "what-the-application-says";

fn unauthorized() -> Error {
    ErrorUnauthorized(SECRET)
}

fn panics<T>() -> T {
    std::panic::resume_unwind(Box::new("on purpose"))
}

fn rows_of_keys() -> Vec<Row<IdempotencyBuilder>> {
    let row = |name, guard, before, really: u16, would, problem: &'static str| Row {
        name,
        guard,
        before,
        request: tea as fn(&Server) -> RequestBuilder,
        really: (really > 0).then_some(really),
        would,
        problem: (!problem.is_empty()).then_some(problem),
    };
    vec![
        Row {
            request: without_a_key,
            ..row(
                "missing",
                || memory_keys().required(true),
                Nothing,
                400,
                Outcome::Invalid,
                "key-missing",
            )
        },
        Row {
            request: |server| pay(server, "a b", BODY),
            ..row(
                "invalid",
                memory_keys,
                Nothing,
                400,
                Outcome::Invalid,
                "key-invalid",
            )
        },
        row(
            "scope",
            || Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant")),
            Nothing,
            401,
            Outcome::Invalid,
            "scope-missing",
        ),
        row(
            "too-large",
            || memory_keys().max_body(BODY.len() - 1),
            Nothing,
            413,
            Outcome::Invalid,
            "payload-too-large",
        ),
        row(
            "in-flight",
            memory_keys,
            Running(BODY),
            409,
            Outcome::InFlight,
            "in-flight",
        ),
        row(
            "wait",
            || memory_keys().on_in_flight(InFlight::Wait(Duration::from_millis(50).into())),
            Running(BODY),
            409,
            Outcome::InFlight,
            "",
        ),
        row(
            "mismatch-in-flight",
            memory_keys,
            Running("coffee"),
            422,
            Outcome::Mismatch,
            "key-reused",
        ),
        row(
            "mismatch",
            memory_keys,
            Answered("coffee"),
            422,
            Outcome::Mismatch,
            "key-reused",
        ),
        row(
            "replay",
            memory_keys,
            Answered(BODY),
            201,
            Outcome::Replayed,
            "",
        ),
        row(
            "not-stored",
            || memory_keys().recording(Recording::new().max_body(2)),
            Answered(BODY),
            409,
            Outcome::NotStored,
            "response-not-stored",
        ),
        row(
            "away",
            || keys_on(away()),
            Nothing,
            503,
            Outcome::StoreError,
            "store-unavailable",
        ),
        row(
            "away-open",
            || keys_on(away()).on_store_failure(StoreFailure::FailOpen),
            Nothing,
            201,
            Outcome::Unguarded,
            "",
        ),
        row(
            "scope-fails",
            || {
                Idempotency::builder(
                    MemoryStore::new(),
                    Scope::from_fn(|_| Err::<String, _>(unauthorized())),
                )
            },
            Nothing,
            401,
            Outcome::Failed,
            "",
        ),
        row(
            "scope-panics",
            || {
                Idempotency::builder(
                    MemoryStore::new(),
                    Scope::from_fn(|_| -> String { panics() }),
                )
            },
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "async-scope-panics",
            || {
                Idempotency::builder(
                    MemoryStore::new(),
                    Scope::from_async_fn(async |_| -> String {
                        tokio::task::yield_now().await;
                        panics()
                    }),
                )
            },
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "key-fails",
            || memory_keys().key(KeySource::from_fn(|_| Err::<String, _>(unauthorized()))),
            Nothing,
            401,
            Outcome::Failed,
            "",
        ),
        row(
            "key-panics",
            || memory_keys().key(KeySource::from_fn(|_| -> String { panics() })),
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "fingerprint-fails",
            || {
                memory_keys()
                    .fingerprinting(Fingerprinting::from_fn(|_| Err::<(), _>(unauthorized())))
            },
            Nothing,
            401,
            Outcome::Failed,
            "",
        ),
        row(
            "fingerprint-panics",
            || {
                memory_keys().fingerprinting(Fingerprinting::from_fn(|_| -> Result<(), Error> {
                    panics()
                }))
            },
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "skip-panics",
            || memory_keys().skip(|_| panics()),
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
    ]
}

fn rows_of_locks() -> Vec<Row<ApiLockBuilder>> {
    let row = |name, guard, before, really: u16, would, problem: &'static str| Row {
        name,
        guard,
        before,
        request: tea as fn(&Server) -> RequestBuilder,
        really: (really > 0).then_some(really),
        would,
        problem: (!problem.is_empty()).then_some(problem),
    };
    fn locked() -> ApiLockBuilder {
        lock_on(MemoryStore::new())
    }
    vec![
        row(
            "busy",
            locked,
            Running(BODY),
            409,
            Outcome::InFlight,
            "busy",
        ),
        row(
            "too-large",
            || locked().max_body(BODY.len() - 1),
            Nothing,
            413,
            Outcome::Invalid,
            "payload-too-large",
        ),
        row(
            "away",
            || lock_on(away()),
            Nothing,
            503,
            Outcome::StoreError,
            "store-unavailable",
        ),
        row(
            "away-silent",
            || lock_on(away()).silent(true),
            Nothing,
            201,
            Outcome::Unguarded,
            "",
        ),
        row(
            "payload-fails",
            || {
                ApiLock::builder_with_payload(
                    MemoryStore::new(),
                    LockPayload::fallible(|_| Err::<Option<()>, _>(unauthorized())),
                )
            },
            Nothing,
            401,
            Outcome::Failed,
            "",
        ),
        row(
            "payload-panics",
            || ApiLock::builder(MemoryStore::new(), |_| -> String { panics() }),
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "async-payload-panics",
            || {
                ApiLock::builder_with_payload(
                    MemoryStore::new(),
                    LockPayload::from_async_fn(async |_| -> Result<Option<String>, Error> {
                        panics()
                    }),
                )
            },
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
        row(
            "skip-panics",
            || locked().skip(|_| panics()),
            Nothing,
            0,
            Outcome::Failed,
            "",
        ),
    ]
}

/// Sends what comes before, and then the request; and lets those go that still run.
async fn play<B>(row: &Row<B>, server: &Server, gate: &Gate) -> Option<Told> {
    let before = |body| pay(server, "a", body).header("content-type", "application/json");
    let running = match row.before {
        Nothing => None,
        Answered(body) => {
            gate.let_go(1);
            assert_eq!(told(before(body)).await.unwrap().status, 201);
            None
        }
        Running(body) => {
            let running = tokio::spawn(told(before(body)));
            gate.wait_for_entered(1).await;
            Some(running)
        }
    };
    let request = tokio::spawn(told((row.request)(server)));
    let is_new = usize::from(row.before != Nothing);
    eventually("it runs or is answered", async || {
        request.is_finished() || gate.entered() > is_new
    })
    .await;
    gate.let_go(2);
    let answer = request.await.unwrap();
    if let Some(running) = running {
        assert_eq!(running.await.unwrap().unwrap().status, 201);
    }
    answer
}

/// The request runs, although the real one would not let it, and what would have become of it is told.
async fn runs_all_the_same<B>(row: &Row<B>, server: &Server, gate: &Gate, ear: &Ear) {
    let name = row.name;
    let answer = play(row, server, gate).await;
    let answer = answer.unwrap_or_else(|| panic!("{name}: the connection broke"));
    let run = 1 + usize::from(row.before != Nothing);
    assert_eq!(answer.body, format!("run {run}: {BODY}"), "{name}");
    let as_ever = told(tea(&bare(&Gate::open()))).await.unwrap();
    assert_eq!(
        (answer.status, answer.headers),
        (as_ever.status, as_ever.headers),
        "{name}"
    );
    let events = ear.all(run).await;
    assert!(events.iter().all(|event| event.shadow), "{name}");
    let first = events
        .iter()
        .filter(|event| event.outcome == Outcome::Executed);
    assert_eq!(first.count(), run - 1, "{name}: {events:#?}");
    let is_it = |event: &&RequestEvent| event.outcome == row.would;
    let event = events.iter().find(is_it);
    let event = event.unwrap_or_else(|| panic!("{name}: {events:#?}"));
    assert_eq!(event.problem, row.problem, "{name}");
    assert_eq!(event.status, Some(201), "{name}");
    assert!(
        event.handler_duration.is_some() && event.finish.is_none(),
        "{name}"
    );
}

/// What the log says of it has the same fields.
fn is_logged<B>(row: &Row<B>, prefix: &str) {
    let outcome = format!(" outcome={}", row.would.as_str());
    let lines = log::lines_with(prefix);
    // Before its key is known, a line says nothing of whose it is.
    let lines = if row.before == Nothing && !lines.iter().any(|line| line.contains(&outcome)) {
        log::lines_with("request")
    } else {
        lines
    };
    let mut lines = lines.iter().filter(|line| line.contains(&outcome));
    let line = lines.find(|line| line.contains(" shadow=true"));
    let line = line.unwrap_or_else(|| panic!("no line of {}", row.name));
    if let Some(problem) = row
        .problem
        .filter(|problem| *problem != "store-unavailable")
    {
        let field = format!(" problem={problem}");
        let has = log::lines_with(&field);
        assert!(
            has.iter().any(|line| line.contains(" shadow=true")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn keys() {
    log::collect();
    for row in rows_of_keys() {
        let gate = Gate::closed();
        let server = with_keys(&(row.guard)().build().unwrap(), &gate);
        let answer = play(&row, &server, &gate).await;
        assert_eq!(answer.map(|told| told.status), row.really, "{}", row.name);

        let (gate, ear, prefix) = (
            Gate::closed(),
            Ear::default(),
            format!("shadow-{}:", row.name),
        );
        let shadow = (row.guard)().shadow(true).key_prefix(prefix.as_str());
        let shadow = shadow.on_event(ear.hears()).build().unwrap();
        let server = with_keys(&shadow, &gate);
        runs_all_the_same(&row, &server, &gate, &ear).await;
        is_logged(&row, &prefix);
    }
    assert!(log::lines_with(SECRET).is_empty());
}

#[tokio::test]
async fn locks() {
    log::collect();
    for row in rows_of_locks() {
        let gate = Gate::closed();
        let server = with_lock(&(row.guard)().build().unwrap(), &gate);
        let answer = play(&row, &server, &gate).await;
        assert_eq!(answer.map(|told| told.status), row.really, "{}", row.name);

        let (gate, ear) = (Gate::closed(), Ear::default());
        let prefix = format!("shadow-lock-{}:", row.name);
        let shadow = (row.guard)().shadow(true).key_prefix(prefix.as_str());
        let shadow = shadow.on_event(ear.hears()).build().unwrap();
        let server = with_lock(&shadow, &gate);
        runs_all_the_same(&row, &server, &gate, &ear).await;
        is_logged(&row, &prefix);
    }
    assert!(log::lines_with(SECRET).is_empty());
}
