//! A shadow reports what the real middleware answers: for random requests that meet equal stores in random
//! states, with random settings.

use std::{fmt, time::Duration};

use actix_web::{
    App, Error, HttpResponse,
    error::{ErrorForbidden, ErrorInternalServerError},
    http::Method,
    test::{self, TestRequest},
    web,
};
use actix_web_idempotency::{
    ApiLock, ExpiredLease, Fingerprint, Fingerprinting, Idempotency, InFlight, MemoryStore, Scope,
    StoreFailure,
    api_lock::LockPayload,
    event::{Outcome, RequestEvent},
    store::{Headers, NewClaim, Record, RecordedResponse, Store, StoreKey},
    testing::{Call, Fault, FaultyStore},
};
use bytes::Bytes;
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::support::{ear::Ear, log};

const CASES: usize = 1200;
const DAY: Duration = Duration::from_secs(86_400);
const LARGEST: usize = 64;

/// What is in the store before the request comes.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Claimed,
    /// Its owner has died.
    Lapsed,
    Answered(u16),
    /// What was recorded is no answer of HTTP.
    Nonsense,
    Dropped,
}

#[derive(Clone, Debug)]
struct Case {
    /// Of stored keys; log lines are found by it.
    prefix: &'static str,
    before: Before,
    /// What was there came from another request.
    is_other: bool,
    fault: Option<Fault>,
    policy: StoreFailure,
    expired_lease: ExpiredLease,
    required: bool,
    keys: Vec<&'static str>,
    scope: &'static str,
    method: &'static str,
    size: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    let before = select(vec![
        Before::Nothing,
        Before::Claimed,
        Before::Lapsed,
        Before::Answered(201),
        Before::Answered(404),
        Before::Nonsense,
        Before::Dropped,
    ]);
    // Most requests come to their claim, or few states of the store would be met.
    let fault = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Fault::Unavailable)),
        1 => Just(Some(Fault::TimedOut { carried_out: true })),
        1 => Just(Some(Fault::TimedOut { carried_out: false })),
    ];
    let policy = select(vec![StoreFailure::FailClosed, StoreFailure::FailOpen]);
    let expired_lease = select(vec![ExpiredLease::Reexecute, ExpiredLease::Refuse]);
    let odd_keys = select(vec![vec![], vec!["a b"], vec!["a", "b"]]);
    let keys = prop_oneof![6 => Just(vec!["a"]), 1 => odd_keys];
    let scope = prop_oneof![6 => Just("ann"), 1 => select(vec!["", "stranger", "broken"])];
    let method = prop_oneof![9 => Just("POST"), 1 => Just("GET")];
    let size = prop_oneof![9 => select(vec![0, 3]), 1 => Just(LARGEST + 1)];
    let store = (before, any::<bool>(), fault, policy, expired_lease);
    let request = (any::<bool>(), keys, scope, method, size);
    (store, request).prop_map(|(store, request)| {
        let (before, is_other, fault, policy, expired_lease) = store;
        let (required, keys, scope, method, size) = request;
        Case {
            prefix: "agreement:",
            before,
            is_other,
            fault,
            policy,
            expired_lease,
            required,
            keys,
            scope,
            method,
            size,
        }
    })
}

/// A store in the state of the case, whose next claim meets its fault.
async fn store(case: &Case, key: &StoreKey, is_lock: bool) -> FaultyStore<MemoryStore> {
    let inner = MemoryStore::new();
    let lease = match case.before {
        Before::Lapsed => Duration::from_millis(1),
        _ => DAY,
    };
    let mut claim = NewClaim::lock(key.clone(), lease);
    if !is_lock {
        claim.grace = DAY;
        claim.on_expired_lease = ExpiredLease::Refuse;
        // Those of the cases have none.
        let other = Fingerprint::digest("another");
        claim.fingerprint = case.is_other.then_some(other);
    }
    let lease = claim.lease();
    if !matches!(case.before, Before::Nothing) {
        inner.begin(&claim).await.unwrap();
    }
    let answer = |status| RecordedResponse {
        fingerprint: claim.fingerprint,
        status,
        headers: Headers::new(),
        body: Bytes::from_static(b"recorded"),
    };
    let record = match case.before {
        Before::Answered(status) => Some(Record::Response(answer(status))),
        Before::Nonsense => Some(Record::Response(answer(7))),
        Before::Dropped => Some(Record::Tombstone(answer(201).to_tombstone())),
        Before::Nothing | Before::Claimed | Before::Lapsed => None,
    };
    if let Some(record) = record {
        inner.complete(&lease, &record, DAY).await.unwrap();
    }
    if let Before::Lapsed = case.before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let store = FaultyStore::new(inner);
    if let Some(fault) = case.fault {
        store.next(Call::Begin, fault);
    }
    store
}

fn scope_of(named: Option<&str>) -> Result<Option<String>, Error> {
    match named {
        Some("stranger") => Err(ErrorForbidden("go away")),
        Some("broken") => Err(ErrorInternalServerError("no database")),
        named => Ok(named.map(str::to_owned)),
    }
}

async fn keys(case: &Case, is_shadow: bool, ear: &Ear) -> Idempotency {
    let scope = || Scope::from_fn(|req| scope_of(req.header("x-user").as_deref()));
    // The stored key does not depend on the store.
    let any = Idempotency::builder(MemoryStore::new(), scope()).key_prefix(case.prefix);
    let key = any.build().unwrap();
    let key = key.stored_key(Some("ann"), &Method::POST, "/", &"a".parse().unwrap());
    let builder = Idempotency::builder(store(case, &key, false).await, scope())
        .key_prefix(case.prefix)
        .fingerprinting(Fingerprinting::off())
        .on_store_failure(case.policy)
        .on_expired_lease(case.expired_lease)
        .on_in_flight(InFlight::Reject)
        .max_body(LARGEST)
        .on_event(ear.hears());
    let builder = if case.required {
        builder.required(true)
    } else {
        builder
    };
    let builder = if is_shadow {
        builder.shadow(true)
    } else {
        builder
    };
    builder.build().unwrap()
}

async fn lock(case: &Case, is_shadow: bool, ear: &Ear) -> ApiLock {
    let builder = |store| {
        ApiLock::builder_with_payload(
            store,
            LockPayload::fallible(|req| scope_of(req.header("x-user").as_deref())),
        )
        .key_prefix(case.prefix)
        .max_body(LARGEST)
        .silent(case.policy == StoreFailure::FailOpen)
    };
    let payload = Fingerprint::digest_json("ann").unwrap();
    let key = StoreKey::new(case.prefix, *payload.as_bytes());
    let builder = builder(store(case, &key, true).await).on_event(ear.hears());
    let builder = if is_shadow {
        builder.shadow(true)
    } else {
        builder
    };
    builder.build().unwrap()
}

/// What the client receives.
#[derive(Debug, PartialEq)]
struct Received {
    status: u16,
    problem: Option<String>,
    is_replay: bool,
    ran: bool,
}

fn request(case: &Case) -> TestRequest {
    let mut request = TestRequest::default()
        .method(case.method.parse().unwrap())
        .set_payload("x".repeat(case.size));
    for key in &case.keys {
        request = request.append_header(("idempotency-key", *key));
    }
    match case.scope {
        "" => request,
        scope => request.insert_header(("x-user", scope)),
    }
}

/// Sends the request of a case through a middleware.
macro_rules! received {
    ($case:expr, $guard:expr) => {{
        let handler = web::to(async || {
            HttpResponse::Created()
                .insert_header(("x-ran", "1"))
                .finish()
        });
        let app = App::new().wrap($guard).default_service(handler);
        let app = test::init_service(app).await;
        let response = test::call_service(&app, request($case).to_request()).await;
        let status = response.status().as_u16();
        let has = |name: &str| response.headers().contains_key(name);
        let (is_replay, ran) = (has("idempotent-replayed"), has("x-ran"));
        let body = test::read_body(response).await;
        let problem: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let problem =
            problem.and_then(|it| Some(it["type"].as_str()?.rsplit_once('#')?.1.to_owned()));
        Received {
            status,
            problem,
            is_replay,
            ran,
        }
    }};
}

/// The one event of a request; none of one that passes.
fn told(ear: &Ear) -> Option<RequestEvent> {
    let mut requests = ear.requests();
    assert!(requests.len() < 2, "{requests:#?}");
    requests.pop()
}

/// What a guard and its shadow say in common.
fn in_common(event: &RequestEvent) -> impl PartialEq + fmt::Debug + use<> {
    (
        (
            event.outcome,
            event.problem,
            event.key.clone(),
            event.request_body,
        ),
        (event.attempt, event.store_error, event.lease_left.is_some()),
    )
}

fn agree(case: &Case, real: (Received, Ear), shadow: (Received, Ear)) {
    let ((answered, real), (passed, shadow)) = (real, shadow);
    assert!(
        passed.ran && passed.status == 201,
        "a shadow lets all run: {passed:?} {case:?}"
    );
    let (Some(real), Some(shadow)) = (told(&real), told(&shadow)) else {
        assert_eq!(answered, passed, "nothing is told of it: {case:?}");
        return;
    };
    assert!(shadow.shadow && !real.shadow);
    assert_eq!(in_common(&real), in_common(&shadow), "{case:?}");
    // And that is what the client of the real one has received.
    assert_eq!(answered.problem.as_deref(), shadow.problem, "{case:?}");
    assert_eq!(
        answered.is_replay,
        shadow.outcome == Outcome::Replayed,
        "{case:?}"
    );
    let runs = matches!(shadow.outcome, Outcome::Executed | Outcome::Unguarded);
    assert_eq!(answered.ran, runs, "{case:?}");
    assert_eq!(real.status, Some(answered.status), "{case:?}");
}

fn some_cases() -> Vec<Case> {
    let mut runner = TestRunner::new(Config::default());
    let mut case = || cases().new_tree(&mut runner).unwrap().current();
    (0..CASES).map(|_| case()).collect()
}

#[actix_web::test]
async fn shadow_of_idempotency_reports_what_the_real_one_answers() {
    let mut outcomes = Vec::new();
    for case in some_cases() {
        let (real, shadow) = (Ear::default(), Ear::default());
        let answered = received!(&case, keys(&case, false, &real).await);
        let passed = received!(&case, keys(&case, true, &shadow).await);
        outcomes.extend(told(&real).map(|event| event.outcome));
        agree(&case, (answered, real), (passed, shadow));
    }
    for outcome in [
        Outcome::Executed,
        Outcome::Replayed,
        Outcome::InFlight,
        Outcome::Mismatch,
        Outcome::NotStored,
        Outcome::Unknown,
        Outcome::Invalid,
        Outcome::Failed,
        Outcome::StoreError,
        Outcome::Unguarded,
    ] {
        assert!(outcomes.contains(&outcome), "{outcome:?} was not met");
    }
}

#[actix_web::test]
async fn shadow_of_a_lock_reports_what_the_real_one_answers() {
    let mut outcomes = Vec::new();
    for case in some_cases() {
        let (real, shadow) = (Ear::default(), Ear::default());
        let answered = received!(&case, lock(&case, false, &real).await);
        let passed = received!(&case, lock(&case, true, &shadow).await);
        outcomes.extend(told(&real).map(|event| event.outcome));
        agree(&case, (answered, real), (passed, shadow));
    }
    for outcome in [
        Outcome::Executed,
        Outcome::InFlight,
        Outcome::Invalid,
        Outcome::Failed,
        Outcome::StoreError,
        Outcome::Unguarded,
    ] {
        assert!(outcomes.contains(&outcome), "{outcome:?} was not met");
    }
}

/// The names of the fields of a log line.
fn fields(line: &str) -> Vec<&str> {
    let words = line.split(' ').filter_map(|word| word.split_once('='));
    words.map(|(name, _)| name).collect()
}

/// Each decision is logged in one place, so a line of a shadow has the fields of the real one.
#[actix_web::test]
async fn log_lines_of_guard_and_shadow_have_the_same_fields() {
    log::collect();
    let simple = Case {
        prefix: "agreement-in-the-log:",
        before: Before::Nothing,
        is_other: false,
        fault: None,
        policy: StoreFailure::FailClosed,
        expired_lease: ExpiredLease::Refuse,
        required: true,
        keys: vec!["a"],
        scope: "ann",
        method: "POST",
        size: 3,
    };
    let away = Some(Fault::Unavailable);
    let before = |before| Case {
        before,
        ..simple.clone()
    };
    for case in [
        before(Before::Claimed),
        before(Before::Lapsed),
        before(Before::Answered(201)),
        before(Before::Dropped),
        Case {
            is_other: true,
            ..before(Before::Claimed)
        },
        Case {
            fault: away,
            ..simple.clone()
        },
        Case {
            fault: away,
            policy: StoreFailure::FailOpen,
            ..simple.clone()
        },
    ] {
        let ear = Ear::default();
        let mut lines = Vec::new();
        for is_shadow in [false, true] {
            let before = log::lines_with(simple.prefix).len();
            received!(&case, keys(&case, is_shadow, &ear).await);
            let said = log::lines_with(simple.prefix).split_off(before);
            let said = said
                .into_iter()
                .filter(|line| line.contains(&format!("shadow={is_shadow}")));
            lines.push(said.collect::<Vec<_>>());
        }
        let [real, shadow] = <[_; 2]>::try_from(lines).unwrap();
        assert_eq!((real.len(), shadow.len()), (1, 1), "{real:?} {shadow:?}");
        assert_eq!(fields(&real[0]), fields(&shadow[0]));
    }
}
