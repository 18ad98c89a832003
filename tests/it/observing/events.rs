//! What an observer is told: one event for each request, one for each incident.

use std::{num::NonZeroU32, time::Duration};

use actix_web::{App, HttpResponse, error::ErrorForbidden, http::Method, web};
use actix_web_idempotency::{
    ApiLock, ExpiredLease, Idempotency, InFlight, MemoryStore, Recording, RequestView, Scope,
    StoreFailure,
    api_lock::LockPayload,
    dedup::{DedupOutcome, Deduplicator},
    event::{Ending, FinishOutcome, IncidentKind, Outcome},
    store::{Inspect, StoreErrorKind, StoreKey},
    testing::{Call, Fault, FaultyStore},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::task::JoinHandle;

use crate::{
    serve,
    support::{
        ear::{Ear, outcomes},
        eventually,
        gate::{Gate, gated},
        keys::{Answer, answer, keys_on, memory_keys, numbered, pay},
        locks::lock_on,
        log,
        server::{Server, post},
        wire::Wire,
    },
};

const SECOND: Duration = Duration::from_secs(1);

/// A store whose next calls of one kind fail.
fn failing(call: Call, times: usize, fault: Fault) -> FaultyStore<MemoryStore> {
    let store = FaultyStore::new(MemoryStore::new());
    store.next_n(times, call, fault);
    store
}

/// A server with a first request in its handler, and what that will be answered.
async fn occupied(keys: &Idempotency) -> (Server, Gate, JoinHandle<Answer>) {
    let gate = Gate::closed();
    let server = numbered(keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    (server, gate, first)
}

#[tokio::test]
async fn a_first_run_its_replay_and_a_misuse_are_one_event_each() {
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    for body in ["tea", "tea", "coffee"] {
        answer(pay(&server, "a", body)).await;
    }
    let heard = ear.all(3).await;
    let [first, replay, misuse] = heard.as_slice() else {
        unreachable!()
    };
    assert_eq!(
        outcomes(&heard),
        [Outcome::Executed, Outcome::Replayed, Outcome::Mismatch]
    );
    let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
    for event in &heard {
        assert_eq!(event.key.as_ref(), Some(&key));
        assert!(event.claim_duration.is_some() && event.wait_duration.is_none());
        assert!(event.total_duration >= event.claim_duration.unwrap());
    }
    assert_eq!(first.status, Some(201));
    assert_eq!(first.attempt, Some(NonZeroU32::MIN));
    assert_eq!(first.request_body, Some(3));
    assert_eq!(first.recorded_body, Some("run 1".len()));
    assert_eq!(first.ending, Some(Ending::Recorded));
    assert_eq!(first.finish, Some(FinishOutcome::Confirmed));
    assert!(first.handler_duration.is_some() && first.finish_duration.is_some());
    assert_eq!((replay.status, replay.handler_duration), (Some(201), None));
    assert_eq!(
        (misuse.status, misuse.problem),
        (Some(422), Some("key-reused"))
    );
    assert_eq!(misuse.request_body, Some(6));
}

#[tokio::test]
async fn what_passes_is_no_event_and_what_is_invalid_is_one() {
    let ear = Ear::default();
    let keys = memory_keys().max_body(10).on_event(ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    assert_eq!(
        post(&server, "/", "tea").send().await.unwrap().status(),
        201
    );
    for (key, body) in [("a b", "tea"), ("a", "much too much tea")] {
        answer(pay(&server, key, body)).await;
    }
    let heard = ear.all(2).await;
    assert_eq!(outcomes(&heard), [Outcome::Invalid; 2]);
    let problems: Vec<_> = heard.iter().map(|event| event.problem.unwrap()).collect();
    assert_eq!(problems, ["key-invalid", "payload-too-large"]);
    assert!(heard.iter().all(|event| event.key.is_none()));
}

#[tokio::test]
async fn who_is_refused_is_told_of_with_the_time_that_is_left() {
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let (server, gate, first) = occupied(&keys).await;
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 409);
    let refused = ear.all(1).await.remove(0);
    assert_eq!(refused.outcome, Outcome::InFlight);
    assert_eq!(refused.problem, Some("in-flight"));
    let left = refused.lease_left.unwrap();
    assert!(left > SECOND && left <= 30 * SECOND, "{left:?}");
    gate.let_go(1);
    first.await.unwrap();
    ear.all(2).await;
}

#[tokio::test]
async fn who_waits_and_is_answered_is_one_event_that_says_both() {
    let ear = Ear::default();
    let keys = memory_keys().on_in_flight(InFlight::Wait((10 * SECOND).into()));
    let keys = keys.on_event(ear.hears()).build().unwrap();
    let (server, gate, first) = occupied(&keys).await;
    let second = tokio::spawn(answer(pay(&server, "a", "tea")));
    tokio::time::sleep(SECOND / 10).await;
    gate.let_go(1);
    first.await.unwrap();
    assert!(second.await.unwrap().is_replay, "it is a replay");
    let heard = ear.all(2).await;
    let with = |outcome| heard.iter().find(|event| event.outcome == outcome);
    let replay = with(Outcome::Replayed).unwrap();
    let waited = replay.wait_duration.unwrap();
    assert!(waited > Duration::ZERO && waited <= replay.total_duration);
    assert_eq!(with(Outcome::Executed).unwrap().wait_duration, None);
}

#[tokio::test]
async fn what_cannot_be_kept_leaves_a_tombstone_and_who_meets_it_is_told_so() {
    let ear = Ear::default();
    let keys = memory_keys().recording(Recording::new().max_body(2));
    let keys = keys.on_event(ear.hears()).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    for _delivery in 0..2 {
        answer(pay(&server, "a", "tea")).await;
    }
    let heard = ear.all(2).await;
    assert_eq!(outcomes(&heard), [Outcome::Executed, Outcome::NotStored]);
    assert_eq!(heard[0].ending, Some(Ending::Tombstone));
    assert_eq!(heard[0].recorded_body, None);
    assert_eq!(heard[1].problem, Some("response-not-stored"));
}

#[tokio::test]
async fn a_stream_is_told_of_at_its_end() {
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let server = serve!(
        1,
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(async || {
                let pieces =
                    ["one", "two"].map(|piece| Ok::<_, actix_web::Error>(Bytes::from(piece)));
                HttpResponse::Ok().streaming(stream::iter(pieces))
            }))
    );
    answer(pay(&server, "a", "tea")).await;
    let event = ear.all(1).await.remove(0);
    assert_eq!(event.recorded_body, Some(6));
    assert_eq!(event.ending, Some(Ending::Recorded));
    assert_eq!(event.finish, Some(FinishOutcome::Deferred));
}

#[tokio::test]
async fn while_the_store_is_away_requests_are_refused_or_run_unguarded() {
    for (policy, outcome) in [
        (StoreFailure::FailClosed, Outcome::StoreError),
        (StoreFailure::FailOpen, Outcome::Unguarded),
    ] {
        let ear = Ear::default();
        let keys = keys_on(failing(Call::Begin, 1, Fault::Unavailable)).on_store_failure(policy);
        let keys = keys.on_event(ear.hears()).build().unwrap();
        let server = numbered(&keys, &Gate::open());
        let status = answer(pay(&server, "a", "tea")).await.status;
        let event = ear.all(1).await.remove(0);
        assert_eq!((event.outcome, event.status), (outcome, Some(status)));
        assert_eq!(event.store_error, Some(StoreErrorKind::Unavailable));
        let ran = event.handler_duration.is_some();
        assert_eq!(ran, outcome == Outcome::Unguarded);
    }
}

#[tokio::test]
async fn a_recording_that_is_left_to_the_background_is_settled_later() {
    let ear = Ear::default();
    let keys = keys_on(failing(Call::Complete, 2, Fault::Unavailable)).on_event(ear.hears());
    let keys = keys.build().unwrap();
    let server = numbered(&keys, &Gate::open());
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 201);
    let event = ear.all(1).await.remove(0);
    assert_eq!(event.ending, Some(Ending::Recorded));
    assert_eq!(event.finish, Some(FinishOutcome::Deferred));
    assert_eq!(event.store_error, Some(StoreErrorKind::Unavailable));
}

#[tokio::test]
async fn a_takeover_has_a_higher_attempt_and_what_lost_its_lease_says_so() {
    let (ear, store) = (Ear::default(), MemoryStore::new());
    let keys = keys_on(store.clone()).lease(SECOND / 5).retention(SECOND);
    let keys = keys.renew_for(SECOND / 5).on_event(ear.hears());
    let keys = keys.build().unwrap();
    let (server, gate, first) = occupied(&keys).await;
    ear.hears_incident(IncidentKind::Hung).await;
    let second = tokio::spawn({
        let retry = pay(&server, "a", "tea");
        async move {
            tokio::time::sleep(SECOND / 2).await;
            answer(retry).await
        }
    });
    gate.wait_for_entered(2).await;
    gate.let_go(2);
    first.await.unwrap();
    second.await.unwrap();
    let heard = ear.all(2).await;
    let mut attempts: Vec<_> = heard.iter().map(|e| e.attempt.unwrap().get()).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2]);
    let first = heard
        .iter()
        .find(|event| event.attempt == Some(NonZeroU32::MIN));
    assert_eq!(first.unwrap().finish, Some(FinishOutcome::Lost));
}

#[tokio::test]
async fn a_claim_that_is_taken_away_while_its_handler_runs_is_an_incident() {
    let (ear, store) = (Ear::default(), MemoryStore::new());
    let keys = keys_on(store.clone()).lease(SECOND / 5).retention(SECOND);
    let keys = keys.on_event(ear.hears()).build().unwrap();
    let (_server, gate, first) = occupied(&keys).await;
    let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
    assert!(store.delete(&key).await.unwrap());
    ear.hears_incident(IncidentKind::LostLease).await;
    gate.let_go(1);
    first.await.unwrap();
    ear.all(1).await;
    let lost = |kind: &IncidentKind| *kind == IncidentKind::LostLease;
    assert_eq!(ear.incidents().into_iter().filter(lost).count(), 1);
}

#[tokio::test]
async fn a_renewal_that_fails_is_an_incident_and_no_request() {
    let ear = Ear::default();
    let keys = keys_on(failing(Call::Renew, 1, Fault::Unavailable)).lease(SECOND / 2);
    let keys = keys.retention(SECOND).on_event(ear.hears());
    let (_server, gate, first) = occupied(&keys.build().unwrap()).await;
    ear.hears_incident(IncidentKind::NotRenewed).await;
    assert!(ear.requests().is_empty());
    gate.let_go(1);
    first.await.unwrap();
    ear.all(1).await;
}

#[tokio::test]
async fn a_claim_that_is_carried_out_unheard_is_undone() {
    let ear = Ear::default();
    let keys = keys_on(failing(
        Call::Begin,
        1,
        Fault::TimedOut { carried_out: true },
    ))
    .on_event(ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 503);
    let event = ear.all(1).await.remove(0);
    assert_eq!(event.store_error, Some(StoreErrorKind::Timeout));
    ear.hears_incident(IncidentKind::Undone).await;
    assert_eq!(ear.incidents(), [IncidentKind::Undone]);
}

#[tokio::test]
async fn a_handler_that_panics_is_told_of_and_so_is_what_becomes_of_its_key() {
    for (policy, ending) in [
        (ExpiredLease::Reexecute, Ending::Freed),
        (ExpiredLease::Refuse, Ending::Lapsed),
    ] {
        let ear = Ear::default();
        let keys = memory_keys().on_expired_lease(policy).on_event(ear.hears());
        let keys = keys.build().unwrap();
        let server = serve!(
            1,
            App::new()
                .wrap(keys.clone())
                .default_service(web::to(async || -> HttpResponse {
                    std::panic::resume_unwind(Box::new("on purpose"))
                }))
        );
        assert_eq!(answer(pay(&server, "a", "tea")).await.status, 500);
        let event = ear.all(1).await.remove(0);
        assert_eq!(
            (event.outcome, event.ending),
            (Outcome::Executed, Some(ending))
        );
        assert_eq!(event.status, None);
        assert_eq!(event.handler_duration, None, "it counts as cut off");
    }
}

#[tokio::test]
async fn a_closure_of_the_application_that_fails_is_told_of() {
    let (keys_ear, lock_ear) = (Ear::default(), Ear::default());
    let scope = Scope::from_async_fn(async |_| Err::<Option<String>, _>(ErrorForbidden("go away")));
    let keys = Idempotency::builder(MemoryStore::new(), scope).on_event(keys_ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 403);
    let payload = |_: &RequestView<'_>| Err::<Option<String>, _>(ErrorForbidden("go away"));
    let lock = ApiLock::builder_with_payload(MemoryStore::new(), LockPayload::fallible(payload))
        .on_event(lock_ear.hears());
    let server = gated(lock.build().unwrap(), &Gate::open());
    assert_eq!(answer(post(&server, "/", "x")).await.status, 403);
    for ear in [keys_ear, lock_ear] {
        let event = ear.all(1).await.remove(0);
        assert_eq!((event.outcome, event.status), (Outcome::Failed, Some(403)));
        assert_eq!((event.problem, event.key), (None, None));
        assert!(event.claim_duration.is_none() && event.handler_duration.is_none());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_of() {
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    let mut wire = Wire::to(server.addr()).await;
    wire.send(BY_WIRE.strip_suffix("ea").unwrap()).await;
    tokio::time::sleep(SECOND / 10).await;
    wire.half_close().await;
    let event = ear.all(1).await.remove(0);
    assert_eq!((event.outcome, event.status), (Outcome::Failed, Some(400)));
    assert!(event.key.is_none());
}

#[tokio::test]
async fn who_may_not_follow_an_owner_that_died_is_told_so() {
    let ear = Ear::default();
    let keys = memory_keys().lease(SECOND / 5).renew_for(SECOND / 5);
    let keys = keys
        .on_expired_lease(ExpiredLease::Refuse)
        .on_event(ear.hears());
    let keys = keys.build().unwrap();
    let (server, gate, first) = occupied(&keys).await;
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 409);
    let event = ear.all(1).await.remove(0);
    assert_eq!(event.outcome, Outcome::Unknown);
    assert_eq!(event.problem, Some("outcome-unknown"));
    assert_eq!(event.attempt, None);
    assert!(event.key.is_some() && event.claim_duration.is_some());
    gate.let_go(1);
    first.await.unwrap();
    ear.all(2).await;
}

#[tokio::test]
async fn a_lock_tells_who_ran_and_who_was_refused() {
    let ear = Ear::default();
    let lock = lock_on(MemoryStore::new()).on_event(ear.hears());
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    let second = post(&server, "/", "x").send().await.unwrap();
    assert_eq!(second.status(), 409);
    gate.let_go(1);
    first.await.unwrap().unwrap();
    let heard = ear.all(2).await;
    assert_eq!(outcomes(&heard), [Outcome::InFlight, Outcome::Executed]);
    assert_eq!(heard[0].problem, Some("busy"));
    assert_eq!(heard[1].ending, Some(Ending::Freed));
    assert_eq!(heard[1].finish, Some(FinishOutcome::Confirmed));
    assert!(heard[1].handler_duration.is_some());
    assert_eq!(heard[0].key, heard[1].key);
}

#[tokio::test]
async fn work_without_http_is_told_of_as_well() {
    let ear = Ear::default();
    let deduplicator = Deduplicator::builder(MemoryStore::new()).on_event(ear.hears());
    let deduplicator = deduplicator.build().unwrap();
    let DedupOutcome::Execute(run) = deduplicator.claim("a", None).await.unwrap() else {
        panic!("it is new");
    };
    let DedupOutcome::InFlight = deduplicator.claim("a", None).await.unwrap() else {
        panic!("it is being done");
    };
    run.complete("result").await;
    deduplicator.claim("a", None).await.unwrap();
    let DedupOutcome::Execute(dropped) = deduplicator.claim("b", None).await.unwrap() else {
        panic!("it is new");
    };
    drop(dropped);
    let heard = ear.all(4).await;
    let expected = [
        Outcome::InFlight,
        Outcome::Executed,
        Outcome::Replayed,
        Outcome::Executed,
    ];
    assert_eq!(outcomes(&heard), expected);
    assert_eq!(heard[1].recorded_body, Some(6));
    assert_eq!(heard[3].handler_duration, None, "it was cut off");
}

#[tokio::test]
async fn an_observer_that_panics_breaks_no_request_and_frees_no_key() {
    log::collect();
    let keys = memory_keys().on_event(|_| std::panic::resume_unwind(Box::new("on purpose")));
    let gate = Gate::open();
    let server = numbered(&keys.build().unwrap(), &gate);
    assert_eq!(answer(pay(&server, "a", "tea")).await.status, 201);
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "run 1")
    );
    assert_eq!(gate.entered(), 1);
    both_panic().await;
    let lines = log::lines_with("an observer of events has panicked");
    assert_eq!(
        lines.len(),
        2,
        "one for each observer, however often it panics"
    );
}

#[tokio::test]
async fn nothing_that_a_client_sends_is_shown() {
    const SECRET: &str = "s3cret-of-an-event";
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let server = numbered(&keys, &Gate::open());
    for body in [SECRET, SECRET, "other"] {
        answer(pay(&server, SECRET, body)).await;
    }
    ear.all(3).await;
    let shown = ear.shown();
    assert!(
        shown.contains("idempotency:") && !shown.contains(SECRET),
        "{shown}"
    );
}

/// What a client sends that will leave.
const BY_WIRE: &str =
    "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 3\r\n\r\ntea";

#[tokio::test]
async fn a_client_that_leaves_its_handler_is_told_of_when_that_has_ended() {
    let ear = Ear::default();
    let keys = memory_keys().on_event(ear.hears()).build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.send(BY_WIRE).await;
    gate.wait_for_entered(1).await;
    wire.reset();
    gate.let_go(1);
    let event = ear.all(1).await.remove(0);
    assert_eq!(event.outcome, Outcome::Executed);
    assert_eq!(event.ending, Some(Ending::Recorded));
    assert!(event.handler_duration.is_some());
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_has_come_to_nothing() {
    let ear = Ear::default();
    let keys = memory_keys().on_in_flight(InFlight::Wait((10 * SECOND).into()));
    let keys = keys.on_event(ear.hears()).build().unwrap();
    let (server, gate, first) = occupied(&keys).await;
    let mut wire = Wire::to(server.addr()).await;
    wire.send(BY_WIRE).await;
    tokio::time::sleep(SECOND / 10).await;
    wire.reset();
    assert_eq!(ear.all(1).await[0].outcome, Outcome::Abandoned);
    gate.let_go(1);
    first.await.unwrap();
    ear.all(2).await;
}

#[tokio::test]
async fn a_lock_whose_handler_is_cut_off_says_so() {
    let ear = Ear::default();
    let lock = lock_on(MemoryStore::new()).on_event(ear.hears());
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
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
}

/// The observer of a lock panics while its handler does.
async fn both_panic() {
    let lock = lock_on(MemoryStore::new());
    let lock = lock.on_event(|_| std::panic::resume_unwind(Box::new("on purpose")));
    let (lock, gate) = (lock.build().unwrap(), Gate::open());
    let handler = move || {
        let gate = gate.clone();
        async move {
            if gate.pass().await == 1 {
                std::panic::resume_unwind(Box::new("on purpose"))
            }
            HttpResponse::Created().finish()
        }
    };
    let server = serve!(
        1,
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(handler.clone()))
    );
    post(&server, "/", "x").send().await.unwrap_err();
    eventually("the lock is free and the server well", async || {
        let again = post(&server, "/", "x").send().await;
        again.is_ok_and(|answer| answer.status() == 201)
    })
    .await;
}

/// The one line that is logged of a key with this text.
fn line(key: &StoreKey, text: &str) -> String {
    let lines = log::lines_with(&key.to_string());
    let mut found = lines.iter().filter(|line| line.contains(text));
    let line = found
        .next()
        .unwrap_or_else(|| panic!("no {text:?} in {lines:#?}"));
    assert!(found.next().is_none(), "{lines:#?}");
    line.clone()
}

#[tokio::test]
async fn each_outcome_is_one_line_with_fields_and_a_hashed_key() {
    log::collect();
    let keys = memory_keys()
        .key_prefix("log-of-outcomes:")
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a-logged-key", "tea")));
    gate.wait_for_entered(1).await;
    answer(pay(&server, "a-logged-key", "tea")).await;
    gate.let_go(1);
    first.await.unwrap();
    answer(pay(&server, "a-logged-key", "tea")).await;
    answer(pay(&server, "a-logged-key", "coffee")).await;
    let named = "a-logged-key".parse().unwrap();
    let key = keys.stored_key(None, &Method::POST, "/", &named);
    let field = format!("key={key}");
    let in_flight = line(&key, "outcome=in_flight");
    assert!(in_flight.starts_with("DEBUG ") && in_flight.contains(&field));
    let left = in_flight.split_once("left_ms=").unwrap().1;
    let left: u64 = left.split(' ').next().unwrap().parse().unwrap();
    assert!((20_000..=30_000).contains(&left), "{in_flight}");
    assert!(line(&key, "outcome=replayed").starts_with("DEBUG "));
    let mismatch = line(&key, "outcome=mismatch");
    assert!(mismatch.contains("problem=key-reused"), "{mismatch}");
    assert!(log::lines_with("a-logged-key").is_empty());
}

#[tokio::test]
async fn what_an_operator_has_to_know_is_a_warning() {
    log::collect();
    for (policy, field) in [
        (StoreFailure::FailClosed, "outcome=store_error"),
        (StoreFailure::FailOpen, "outcome=unguarded"),
    ] {
        let keys = keys_on(failing(Call::Begin, 1, Fault::Unavailable)).on_store_failure(policy);
        let keys = keys.key_prefix(format!("log-of-{field}:")).build().unwrap();
        let server = numbered(&keys, &Gate::open());
        answer(pay(&server, "a", "tea")).await;
        let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
        let said = line(&key, &format!(" {field}"));
        assert!(said.starts_with("WARN "), "{said}");
        assert!(said.contains("error=the store is unavailable"), "{said}");
    }
}

#[tokio::test]
async fn a_takeover_and_a_tombstone_are_worth_a_line() {
    log::collect();
    let store = MemoryStore::new();
    let deduplicator = Deduplicator::builder(store)
        .lease(SECOND / 10)
        .renew_for(SECOND / 10);
    let deduplicator = deduplicator
        .key_prefix("log-of-a-takeover:")
        .build()
        .unwrap();
    let DedupOutcome::Execute(_hung) = deduplicator.claim("a", None).await.unwrap() else {
        panic!("it is new");
    };
    let second = deduplicator
        .claim_or_wait("a", None, 5 * SECOND)
        .await
        .unwrap();
    assert!(matches!(second, DedupOutcome::Execute(_)));
    let takeover = line(&deduplicator.stored_key("a"), "attempt=2");
    assert!(takeover.starts_with("INFO "), "{takeover}");

    let keys = memory_keys().recording(Recording::new().max_body(2));
    let keys = keys.key_prefix("log-of-a-tombstone:").build().unwrap();
    let server = numbered(&keys, &Gate::open());
    answer(pay(&server, "a", "tea")).await;
    let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
    assert!(line(&key, "ending=tombstone").starts_with("INFO "));
}
