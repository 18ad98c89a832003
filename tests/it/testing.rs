//! What `actix_web_idempotency::testing` gives to the tests of an application.

use std::{fmt::Debug, future::Future, time::Duration};

use actix_http::Request;
use actix_service::fn_service;
use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    test::{TestRequest, init_service},
    web,
};
use actix_web_idempotency::{
    ApiLock, Idempotency, MemoryStore, Recording, Scope,
    store::{
        Begin, ClaimId, Headers, Held, Inspect, NewClaim, Record, RecordedResponse, Renewed, Store,
        StoreError, StoreErrorKind, StoreKey, conformance,
    },
    testing::{BackgroundHere, Call, Fault, FaultyStore, Replies, Runs, at_once, in_turn},
};
use bytes::Bytes;
use tokio::time::{Instant, pause, sleep, timeout};

const LONG: Duration = Duration::from_secs(60);
const A_WHILE: Duration = Duration::from_secs(2);

fn faulty() -> FaultyStore<MemoryStore> {
    FaultyStore::new(MemoryStore::new())
}

fn new_claim() -> NewClaim {
    NewClaim {
        grace: LONG,
        ..NewClaim::lock(StoreKey::new("testing:", [7; 32]), LONG)
    }
}

fn record() -> Record {
    Record::Response(RecordedResponse {
        fingerprint: None,
        status: 201,
        headers: Headers::new(),
        body: Bytes::new(),
    })
}

/// A store with one claim.
async fn claimed() -> (FaultyStore<MemoryStore>, NewClaim) {
    let (store, claim) = (faulty(), new_claim());
    let begun = store.begin(&claim).await.unwrap();
    assert!(matches!(begun, Begin::Claimed { .. }));
    (store, claim)
}

async fn is_held(store: &FaultyStore<MemoryStore>, claim: &NewClaim) -> bool {
    store.look_up(&claim.key).await.unwrap().is_some()
}

/// What the caller of a claim is told: the kind of error, and whether it may have run.
async fn told(store: &FaultyStore<MemoryStore>, claim: &NewClaim) -> (StoreErrorKind, bool) {
    let err: StoreError = store.begin(claim).await.unwrap_err();
    (err.kind(), err.may_have_run())
}

async fn must_not_answer<T: Debug>(call: impl Future<Output = Result<T, StoreError>>) {
    let answer = timeout(Duration::from_secs(1), call).await;
    assert!(answer.is_err(), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_told_nothing_keeps_the_contract() {
    let _here = BackgroundHere::here();
    conformance::check(&faulty()).await;
    conformance::check_inspect(&faulty()).await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_says_so_and_was_carried_out_or_not() {
    let cases = [
        (
            Fault::Unavailable,
            (StoreErrorKind::Unavailable, false),
            false,
        ),
        (
            Fault::TimedOut { carried_out: false },
            (StoreErrorKind::Timeout, true),
            false,
        ),
        (
            Fault::TimedOut { carried_out: true },
            (StoreErrorKind::Timeout, true),
            true,
        ),
    ];
    for (fault, expected, carried_out) in cases {
        let (store, claim) = (faulty(), new_claim());
        store.next(Call::Begin, fault);
        assert_eq!(told(&store, &claim).await, expected, "{fault:?}");
        assert_eq!(is_held(&store, &claim).await, carried_out, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_answers_was_carried_out_or_not_or_is_later() {
    let _here = BackgroundHere::here();
    for carried_out in [false, true] {
        let (store, claim) = (faulty(), new_claim());
        store.next(Call::Begin, Fault::NoAnswer { carried_out });
        must_not_answer(store.begin(&claim)).await;
        assert_eq!(is_held(&store, &claim).await, carried_out);
    }
    let (store, claim) = (faulty(), new_claim());
    store.next(Call::Begin, Fault::Late(A_WHILE));
    must_not_answer(store.begin(&claim)).await;
    assert!(!is_held(&store, &claim).await);
    sleep(A_WHILE).await;
    assert!(is_held(&store, &claim).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_delayed_comes_later() {
    let (store, claim) = (faulty(), new_claim());
    store.next(Call::Begin, Fault::Delayed(A_WHILE));
    let before = Instant::now();
    store.begin(&claim).await.unwrap();
    assert_eq!(before.elapsed(), A_WHILE);
}

#[tokio::test]
async fn a_fault_is_of_one_kind_of_call_and_ends_when_it_is_told_to() {
    let (store, claim) = claimed().await;
    store.next(Call::Begin, Fault::TimedOut { carried_out: false });
    store.always(Call::Begin, Fault::Unavailable);
    assert!(matches!(
        store.renew(&claim.lease()).await.unwrap(),
        Renewed::Yes { .. }
    ));
    assert_eq!(told(&store, &claim).await.0, StoreErrorKind::Timeout);
    for _ in 0..3 {
        assert_eq!(told(&store, &claim).await.0, StoreErrorKind::Unavailable);
    }
    store.recover();
    store.begin(&claim).await.unwrap();

    store.next_n(2, Call::Renew, Fault::Unavailable);
    store.renew(&claim.lease()).await.unwrap_err();
    store.renew(&claim.lease()).await.unwrap_err();
    store.renew(&claim.lease()).await.unwrap();

    store.away(Fault::Unavailable);
    store.begin(&claim).await.unwrap_err();
    store.renew(&claim.lease()).await.unwrap_err();
    store
        .complete(&claim.lease(), &record(), LONG)
        .await
        .unwrap_err();
    store.release(&claim.lease()).await.unwrap_err();
    let seen = ClaimId::new(claim.token);
    store.changed(&claim.key, &seen).await.unwrap_err();
}

#[tokio::test]
async fn a_claim_is_lost_when_its_owner_comes_back() {
    let (store, claim) = claimed().await;
    store.next(Call::Renew, Fault::ClaimLost);
    assert_eq!(store.renew(&claim.lease()).await.unwrap(), Renewed::Lost);

    let (store, claim) = claimed().await;
    store.next(Call::Release, Fault::ClaimLost);
    assert_eq!(store.release(&claim.lease()).await.unwrap(), Held::Lost);

    let (store, claim) = (faulty(), new_claim());
    store.next(Call::Begin, Fault::ClaimLost);
    let begun = store.begin(&claim).await.unwrap();
    assert!(matches!(begun, Begin::Claimed { .. }));
    assert!(!is_held(&store, &claim).await);

    // An answer fills the vacant place, as the contract says.
    let (store, claim) = claimed().await;
    store.next(Call::Complete, Fault::ClaimLost);
    store
        .complete(&claim.lease(), &record(), LONG)
        .await
        .unwrap();
    assert!(is_held(&store, &claim).await);
}

#[tokio::test]
async fn claims_are_lost_and_records_only_forgotten() {
    let (store, claim) = claimed().await;
    let lock = NewClaim::lock(StoreKey::new("testing:", [8; 32]), LONG);
    store.begin(&lock).await.unwrap();
    assert_eq!(store.lose_claims().await.unwrap(), 2);
    assert_eq!(store.lose_claims().await.unwrap(), 0);
    assert_eq!(store.renew(&claim.lease()).await.unwrap(), Renewed::Lost);

    store
        .complete(&claim.lease(), &record(), LONG)
        .await
        .unwrap();
    assert_eq!(store.lose_claims().await.unwrap(), 0);
    assert!(is_held(&store, &claim).await);
    assert_eq!(store.forget_everything().await.unwrap(), 1);
    assert!(!is_held(&store, &claim).await);
}

#[tokio::test]
async fn every_call_is_counted() {
    let (store, claim) = claimed().await;
    let other = store.clone();
    other.next(Call::Begin, Fault::Unavailable);
    store.begin(&claim).await.unwrap_err();
    store.release(&claim.lease()).await.unwrap();
    for (call, expected) in Call::ALL.into_iter().zip([2, 0, 0, 1, 0]) {
        assert_eq!(other.calls(call), expected, "{call}");
        store.assert_calls(call, expected);
    }
    faulty().assert_not_asked();
}

#[tokio::test]
#[should_panic(
    expected = "asked to begin 1 times, not 2 (in all: begin 1, renew 0, complete 0, release 0, changed 0)"
)]
async fn a_wrong_count_says_what_was_asked() {
    claimed().await.0.assert_calls(Call::Begin, 2);
}

#[tokio::test]
#[should_panic(expected = "the store was asked: begin 1, ")]
async fn a_store_that_was_asked_says_what() {
    claimed().await.0.assert_not_asked();
}

/// A handler that counts, and in which others can come in.
async fn pay(runs: web::Data<Runs>) -> HttpResponse {
    let run = runs.note();
    sleep(Duration::from_millis(10)).await;
    HttpResponse::Created().body(format!("payment {run}"))
}

type Answered = ServiceResponse<actix_web::body::BoxBody>;

/// The application that is tested.
async fn guarded(
    store: &FaultyStore<MemoryStore>,
    runs: &Runs,
) -> impl Service<Request, Response = ServiceResponse<impl MessageBody + use<>>, Error = Error> + use<>
{
    let keys = Idempotency::builder(store.clone(), Scope::global());
    let app = App::new()
        .app_data(web::Data::new(runs.clone()))
        .wrap(keys.build().unwrap())
        .default_service(web::to(pay));
    init_service(app).await
}

fn request() -> Request {
    let request = TestRequest::post().insert_header(("idempotency-key", "a"));
    request.to_request()
}

#[actix_web::test]
async fn equal_requests_ran_once() {
    pause();
    let _here = BackgroundHere::here();
    let (store, runs) = (faulty(), Runs::new());
    let app = guarded(&store, &runs).await;
    in_turn(&app, 2, || TestRequest::get().to_request()).await;
    store.assert_not_asked();
    runs.assert_count(2);

    let runs = Runs::new();
    let app = guarded(&store, &runs).await;
    let replies = at_once(&app, 3, request).await;
    replies.assert_ran_once(&runs);
    assert_eq!(replies.statuses(), [201, 409, 409]);
    assert_eq!(replies[1].problem().as_deref(), Some("in-flight"));
    assert_eq!(replies[0].body(), "payment 1");
    store.assert_calls(Call::Complete, 1);

    let replies = in_turn(&app, 2, request).await;
    replies.assert_ran_once(&runs);
    assert!(replies.iter().all(|reply| reply.is_replay()));
    assert_eq!(replies[0].status(), 201);
    assert!(replies[0].headers().contains_key("idempotent-replayed"));
}

#[actix_web::test]
async fn a_store_that_forgets_lets_it_run_again() {
    let (store, runs) = (faulty(), Runs::new());
    let app = guarded(&store, &runs).await;
    in_turn(&app, 2, request).await.assert_ran_once(&runs);
    assert_eq!(store.forget_everything().await.unwrap(), 1);
    assert!(!in_turn(&app, 1, request).await[0].is_replay());
    runs.assert_count(2);
}

#[actix_web::test]
async fn a_lock_refuses_those_who_come_meanwhile() {
    pause();
    let (store, runs) = (faulty(), Runs::new());
    let lock = ApiLock::new(store.clone(), |req| req.path().to_owned());
    let app = App::new()
        .app_data(web::Data::new(runs.clone()))
        .wrap(lock)
        .default_service(web::to(pay));
    let app = init_service(app).await;
    let replies = at_once(&app, 3, request).await;
    replies.assert_ran_once(&runs);
    assert_eq!(replies.statuses(), [201, 409, 409]);
    assert_eq!(replies[2].problem().as_deref(), Some("busy"));
    store.assert_calls(Call::Release, 1);
}

/// The replies of a service that nothing guards.
async fn unguarded(
    requests: usize,
    answer: impl Fn(usize) -> HttpResponse + Clone + 'static,
) -> Replies {
    let runs = Runs::new();
    let app = fn_service(move |req: ServiceRequest| {
        let answer = answer(runs.note());
        async move { Ok::<Answered, Error>(req.into_response(answer)) }
    });
    in_turn(&app, requests, || TestRequest::post().to_srv_request()).await
}

fn ran(times: usize) -> Runs {
    let runs = Runs::new();
    for _ in 0..times {
        runs.note();
    }
    runs
}

#[actix_web::test]
#[should_panic(
    expected = "the handler ran 2 times, not once\n  request 1: 201\n  request 2: 201, replayed"
)]
async fn two_runs_are_not_one() {
    let answer = |run| match run {
        1 => HttpResponse::Created().finish(),
        _ => {
            let mut answer = HttpResponse::Created();
            answer
                .insert_header(("idempotent-replayed", "true"))
                .finish()
        }
    };
    unguarded(2, answer).await.assert_ran_once(&ran(2));
}

#[actix_web::test]
#[should_panic(expected = "the handler ran 0 times, not once")]
async fn no_run_is_not_one() {
    let replies = unguarded(1, |_| HttpResponse::Created().finish()).await;
    replies.assert_ran_once(&ran(0));
}

#[actix_web::test]
#[should_panic(expected = "2 replies are neither replays nor refusals")]
async fn two_answers_are_not_of_one_run() {
    let replies = unguarded(2, |_| HttpResponse::Created().finish()).await;
    replies.assert_ran_once(&ran(1));
}

#[actix_web::test]
#[should_panic(expected = "the replies differ in status or body")]
async fn replays_tell_what_the_first_was_told() {
    let answer = |run: usize| {
        let mut answer = HttpResponse::Created();
        if run == 2 {
            answer.insert_header(("idempotent-replayed", "true"));
        }
        answer.body(run.to_string())
    };
    unguarded(2, answer).await.assert_ran_once(&ran(1));
}

#[actix_web::test]
async fn replays_can_be_known_by_another_header() {
    let recording = Recording::new().replay_header("x-replayed");
    let keys = Idempotency::builder(faulty(), Scope::global()).recording(recording);
    let runs = Runs::new();
    let app = App::new()
        .app_data(web::Data::new(runs.clone()))
        .wrap(keys.build().unwrap())
        .default_service(web::to(pay));
    let replies = in_turn(&init_service(app).await, 2, request).await;
    assert!(!replies[1].is_replay());
    let replies = replies.replayed_by("X-Replayed");
    assert!(!replies[0].is_replay() && replies[1].is_replay());
    replies.assert_ran_once(&runs);
}

#[actix_web::test]
async fn an_error_is_answered_as_a_server_answers_it() {
    let app = fn_service(async |_: ServiceRequest| {
        Err::<Answered, _>(actix_web::error::ErrorImATeapot("tea"))
    });
    let replies = in_turn(&app, 1, || TestRequest::post().to_srv_request()).await;
    assert_eq!(replies.statuses(), [418]);
    assert_eq!(replies[0].body(), "tea");
}
