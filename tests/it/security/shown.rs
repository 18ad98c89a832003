//! `Debug` of every public type, and `Display` of every error, on values full of secrets.

use std::{
    collections::BTreeSet,
    fmt::{self, Debug},
    fs,
    future::poll_fn,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex},
};

use actix_service::{Service, Transform, always_ready};
use actix_web::{
    Error, FromRequest, HttpResponse,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    test::TestRequest,
};
use actix_web_idempotency::{
    ApiLock, Claim, ExpiredLease, Fingerprint, Fingerprinting, IdempotencyKey, InFlight, KeySource,
    MemoryStore, Recording, RedisStore, Scope, StoreFailure, Waiting,
    api_lock::LockPayload,
    dedup::{DedupOutcome, Deduplicator, ExecutionOutcome},
    event::{Event, FinishOutcome},
    idempotency::{InvalidKey, Transient},
    problem::Problems,
    store::OwnerToken,
    testing::{BackgroundHere, Call, Fault, FaultyStore, Runs, in_turn},
};
use bytes::Bytes;
use futures_util::{future::LocalBoxFuture, stream};
use serde_json::json;

use super::{shown_sql::of_sql, shown_stores::of_stores, with_scope};
use crate::support::eventually;

pub(super) const SECRET: &str = "c4nary-to-be-shown";
/// Of a claim, which it can end.
pub(super) const TOKEN: [u8; 16] = *b"0wner-of-a-claim";
/// Traits, which show nothing.
const TRAITS: [&str; 6] = [
    "Database",
    "Inspect",
    "IntoLabel",
    "IntoPayload",
    "Row",
    "Store",
];
/// What an application meets and cannot name.
const HIDDEN: [&str; 3] = ["ApiLockMiddleware", "GuardedBody", "IdempotencyMiddleware"];

/// What has been shown, and of which type.
#[derive(Clone, Default)]
pub(super) struct Shown(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Shown {
    pub(super) fn add(&self, name: &'static str, value: &impl Debug) {
        self.0
            .lock()
            .unwrap()
            .push((name, format!("{value:?} {value:#?}")));
    }
}

/// The types that `pub use` and `pub struct` name in these files.
fn public_types() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names = BTreeSet::new();
    for file in [
        "lib.rs",
        "api_lock/mod.rs",
        "commit/mod.rs",
        "dedup/mod.rs",
        "event/mod.rs",
        "idempotency/mod.rs",
        "problem/mod.rs",
        "store/memory/mod.rs",
        "store/mod.rs",
        "store/redis/mod.rs",
        "store/sql/mod.rs",
        "testing/mod.rs",
    ] {
        let text = fs::read_to_string(src.join(file)).unwrap();
        for item in [
            "\npub use self::",
            "\npub use crate::",
            "\npub struct ",
            "\npub enum ",
            "\npub trait ",
        ] {
            for rest in text.split(item).skip(1) {
                let end = match item.contains("use") {
                    true => rest.find(';'),
                    false => rest.find([':', '(', '<', ' ']),
                };
                let item = &rest[..end.unwrap()];
                let words = item.split(|c: char| !c.is_alphanumeric() && c != '_');
                names.extend(
                    words
                        .filter(|w| w.starts_with(char::is_uppercase))
                        .map(str::to_owned),
                );
            }
        }
    }
    names
}

/// What stands in the code of an application, or is made of it.
async fn of_an_application(shown: &Shown) {
    shown.add("Problems", &Problems::new());
    shown.add("Waiting", &Waiting::new(std::time::Duration::from_secs(1)));
    shown.add("Recording", &Recording::new());
    shown.add("Transient", &Transient);
    shown.add("Fingerprinting", &Fingerprinting::from_fn(|_| Ok(SECRET)));
    shown.add("KeySource", &KeySource::from_fn(|_| SECRET));
    shown.add("Scope", &Scope::from_fn(|_| SECRET));
    shown.add("InFlight", &InFlight::Reject);
    shown.add("ExpiredLease", &ExpiredLease::Refuse);
    shown.add("StoreFailure", &StoreFailure::FailClosed);
    let key: IdempotencyKey = SECRET.parse().unwrap();
    shown.add("IdempotencyKey", &key);
    let err: InvalidKey = format!("{SECRET} x").parse::<IdempotencyKey>().unwrap_err();
    shown.add("InvalidKey", &(err, err.to_string()));
    let config = RedisStore::new(format!("redis://:{SECRET}@x:y")).unwrap_err();
    shown.add("ConfigError", &(&config, config.to_string()));
    shown.add("Fingerprint", &Fingerprint::digest(SECRET));
}

/// Work without HTTP.
async fn of_once(shown: &Shown) {
    let store = FaultyStore::new(MemoryStore::new());
    store.next(Call::Renew, Fault::Unavailable);
    shown.add("Call", &Call::Renew);
    shown.add("Fault", &Fault::Unavailable);
    let builder = Deduplicator::builder(store.clone());
    shown.add("DeduplicatorBuilder", &builder);
    let deduplicator = builder.build().unwrap();
    shown.add("Deduplicator", &deduplicator);
    let fingerprint = Some(Fingerprint::digest(SECRET));
    let DedupOutcome::Execute(run) = deduplicator.claim(SECRET, fingerprint).await.unwrap() else {
        panic!("it is new");
    };
    let err = run.fencing_token().await.unwrap_err();
    shown.add("FencingError", &(&err, err.to_string()));
    shown.add("Execution", &run);
    let settled: FinishOutcome = run.complete(SECRET).await;
    shown.add("FinishOutcome", &settled);
    shown.add("FaultyStore", &store);
    let again = deduplicator.claim(SECRET, fingerprint).await.unwrap();
    shown.add("DedupOutcome", &again);
    let DedupOutcome::Replay(done) = again else {
        panic!("it is done");
    };
    assert_eq!(
        done,
        ExecutionOutcome::Completed(Bytes::from_static(SECRET.as_bytes()))
    );
    shown.add(
        "ExecutionOutcome",
        &(
            done,
            ExecutionOutcome::Failed(Bytes::from_static(SECRET.as_bytes())),
        ),
    );
}

/// What an observer is told.
fn of_event(shown: &Shown, event: Event<'_>) {
    shown.add("Event", &event);
    match event {
        Event::Request(request) => {
            shown.add("RequestEvent", request);
            shown.add("Outcome", &request.outcome);
            shown.add("Ending", &request.ending);
        }
        Event::Incident(incident) => {
            shown.add("Incident", incident);
            shown.add("IncidentKind", &incident.kind);
        }
        _ => panic!("there are two"),
    }
}

/// A claim that is carried out unheard, which is an incident.
async fn of_incidents(shown: &Shown) {
    let told = shown.clone();
    let store = FaultyStore::new(MemoryStore::new());
    store.next(Call::Begin, Fault::TimedOut { carried_out: true });
    let deduplicator = Deduplicator::builder(store);
    let deduplicator = deduplicator.on_event(move |event| of_event(&told, event));
    deduplicator
        .build()
        .unwrap()
        .claim(SECRET, None)
        .await
        .unwrap_err();
    eventually("it is undone", async || {
        let shown = shown.0.lock().unwrap();
        shown.iter().any(|(name, _)| *name == "Incident")
    })
    .await;
}

/// Answers with a secret in pieces, and shows the claim under which it does.
struct Handler(Shown);

impl Service<ServiceRequest> for Handler {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    always_ready!();

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let shown = self.0.clone();
        Box::pin(async move {
            let claim = Claim::from_request(req.request(), &mut Payload::None).await;
            shown.add("Claim", &claim?);
            let piece = Ok::<_, Error>(Bytes::from_static(SECRET.as_bytes()));
            let pieces = stream::iter([piece, Ok(Bytes::from_static(SECRET.as_bytes()))]);
            let mut answer = HttpResponse::Ok();
            answer.insert_header(("location", SECRET));
            Ok(req.into_response(answer.streaming(pieces)))
        })
    }
}

impl Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}

/// Both middlewares, and what they hand to closures and handlers.
async fn of_requests(shown: &Shown) {
    let (in_scope, in_payload, in_render) = (shown.clone(), shown.clone(), shown.clone());
    let scope = Scope::from_fn(move |req| {
        in_scope.add("RequestView", req);
        in_scope.add("RequestBody", &req.body());
        SECRET
    });
    let problems = Problems::new().render(move |problem| {
        in_render.add("Problem", problem);
        in_render.add("ProblemKind", &problem.kind());
        problem.to_response()
    });
    let keys = with_scope(MemoryStore::builder().max_bytes(60).build().unwrap(), scope);
    let in_event = shown.clone();
    let in_rule = shown.clone();
    let recording = Recording::new().when(move |response| {
        in_rule.add("ResponseView", response);
        true
    });
    let keys = keys.problems(problems).recording(recording);
    let keys = keys.on_event(move |event| of_event(&in_event, event));
    shown.add("IdempotencyBuilder", &keys);
    let keys = keys.build().unwrap();
    shown.add("Idempotency", &keys);
    let lock = ApiLock::builder(MemoryStore::new(), move |req| {
        in_payload.add("RequestView", req);
        json!(SECRET)
    });
    shown.add("ApiLockBuilder", &lock);
    shown.add("LockPayload", &LockPayload::from_fn(|_| SECRET));
    let lock = lock.build().unwrap();
    shown.add("ApiLock", &lock);

    let locked = lock.new_transform(Handler(shown.clone())).await.unwrap();
    shown.add("ApiLockMiddleware", &locked);
    let service = keys.new_transform(locked).await.unwrap();
    shown.add("IdempotencyMiddleware", &service);
    let request = || {
        let request = TestRequest::post().uri(&format!("/?token={SECRET}"));
        let request = request.insert_header(("idempotency-key", SECRET));
        let request = request.insert_header(("authorization", SECRET));
        request.set_payload(SECRET).to_srv_request()
    };
    let mut body = pin!(service.call(request()).await.unwrap().into_body());
    // A piece has been copied, to be recorded.
    let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await;
    assert_eq!(piece.unwrap().unwrap(), SECRET);
    shown.add("GuardedBody", &body);
    while poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_some() {}
    // The store is short of bytes by now, so that this is a problem, with a location.
    eventually("it is a problem with a location", async || {
        service.call(request()).await.unwrap();
        let shown = shown.0.lock().unwrap();
        let mut problems = shown.iter().filter(|(name, _)| *name == "Problem");
        problems.any(|(_, text)| text.contains("location"))
    })
    .await;
    let replies = in_turn(&service, 1, request).await;
    shown.add("Runs", &Runs::new());
    shown.add("Reply", &(&replies[0], replies[0].to_string()));
    shown.add("Replies", &(&replies, replies.to_string()));
}

#[actix_web::test]
async fn debug_of_every_public_type_and_display_of_every_error_show_no_secret() {
    let shown = Shown::default();
    of_an_application(&shown).await;
    of_stores(&shown).await;
    of_sql(&shown).await;
    of_once(&shown).await;
    of_requests(&shown).await;
    of_incidents(&shown).await;
    shown.add("BackgroundHere", &BackgroundHere::here());
    let shown = shown.0.lock().unwrap();
    let secrets = [SECRET, &OwnerToken::from_bytes(TOKEN).to_hex(), "0wner"];
    for (name, text) in &*shown {
        for secret in secrets {
            assert!(!text.contains(secret), "{name}: {text}");
        }
        // `Bytes` and `Vec<u8>` can show themselves in numbers, too.
        assert!(!text.contains("99, 52, 110"), "{name}: {text}");
    }
    let seen = shown.iter().map(|(name, _)| (*name).to_owned());
    let seen = seen.filter(|name| !HIDDEN.contains(&name.as_str()));
    let seen: BTreeSet<_> = seen.chain(TRAITS.map(str::to_owned)).collect();
    let types = public_types();
    assert!(types.len() > 50, "{types:?}");
    assert_eq!(seen, types, "every public type is shown here");
}
