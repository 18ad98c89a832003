//! `Idempotency` while Redis is away, changed, foreign or hostile; and races with real time.

use std::time::{Duration, Instant};

use actix_web::{
    App, HttpResponse,
    http::{Method, StatusCode},
    web,
};
use actix_web_idempotency::{
    Claim, ExpiredLease, Idempotency, InFlight, Scope, StoreFailure,
    store::{
        Store,
        redis::redis::{self, Value},
    },
};
use futures_util::future::join_all;
use reqwest::RequestBuilder;

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::Gate,
        keys::{Answer, answer, keys_on, numbered, pay},
        log,
        problems::{ProblemKind, assert_refused},
        redis::Redis,
        server::{Server, http2_client, post, status},
        wire::Wire,
    },
};

const POLICIES: [StoreFailure; 2] = [StoreFailure::FailClosed, StoreFailure::FailOpen];
const LIMIT: Duration = Duration::from_secs(10);
const LEASE: Duration = Duration::from_millis(200);

/// The middleware on a store, a server around it, and the gate of its handlers.
fn open_gate(store: impl Store, policy: StoreFailure) -> (Idempotency, Server, Gate) {
    let keys = keys_on(store).on_store_failure(policy).build().unwrap();
    let gate = Gate::open();
    let server = numbered(&keys, &gate);
    (keys, server, gate)
}

fn stored(keys: &Idempotency, key: &str) -> String {
    keys.stored_key(None, &Method::POST, "/", &key.parse().unwrap())
        .to_string()
}

#[tokio::test]
async fn while_redis_is_away_nothing_runs_or_everything_does() {
    for policy in POLICIES {
        let mut redis = Redis::start();
        let (_, server, gate) = open_gate(redis.store(), policy);
        assert_eq!(answer(pay(&server, "a", "tea")).await.status, 201);
        redis.kill();
        for n in 0..3 {
            let begun = Instant::now();
            match policy {
                StoreFailure::FailOpen => {
                    let expected = Answer::executed(201, format!("run {}", n + 2));
                    assert_eq!(answer(pay(&server, "a", "tea")).await, expected);
                }
                _ => assert_refused(pay(&server, "a", "tea"), ProblemKind::StoreUnavailable).await,
            }
            assert!(
                begun.elapsed() < Duration::from_secs(2),
                "{:?}",
                begun.elapsed()
            );
        }
        let ran = gate.entered();
        assert_eq!(
            ran,
            if policy == StoreFailure::FailOpen {
                4
            } else {
                1
            }
        );
        redis.restart();
        eventually("the service resumes", async || {
            answer(pay(&server, "b", "tea")).await.status == 201
                && answer(pay(&server, "b", "tea")).await.is_replay
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_is_recorded_after_redis_comes_back() {
    let mut redis = Redis::start();
    let keys = keys_on(redis.store()).build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    redis.kill();
    gate.let_go(1);
    let begun = Instant::now();
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "the client does not wait for it"
    );
    assert!(
        !keys.drain(Duration::from_millis(200)).await,
        "a recording is in progress"
    );
    redis.restart(); // without its data: the place is vacant
    assert!(keys.drain(LIMIT).await);
    // The background may have found out before the worker that Redis is back.
    eventually("it is replayed", async || {
        answer(pay(&server, "a", "tea")).await == Answer::replayed(201, "run 1")
    })
    .await;
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn an_answer_is_recorded_by_a_frozen_redis_too() {
    let redis = Redis::start();
    let keys = keys_on(redis.default_store()).build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    redis.freeze();
    gate.let_go(1);
    // The completion times out, and is carried out when Redis goes on. Nothing releases it.
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    redis.thaw();
    assert!(keys.drain(LIMIT).await);
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "run 1")
    );
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn a_claim_that_a_frozen_redis_carries_out_later_is_undone() {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let redis = Redis::start();
        let keys = keys_on(redis.default_store())
            .on_expired_lease(policy)
            .build()
            .unwrap();
        let gate = Gate::open();
        let server = numbered(&keys, &gate);
        assert_eq!(answer(pay(&server, "warm", "tea")).await.status, 201);
        redis.freeze();
        assert_refused(pay(&server, "a", "tea"), ProblemKind::StoreUnavailable).await;
        redis.thaw();
        eventually("the phantom is gone", async || {
            answer(pay(&server, "a", "tea")).await == Answer::executed(201, "run 2")
        })
        .await;
    }
}

#[tokio::test]
async fn a_script_flush_at_any_moment_changes_nothing() {
    let redis = Redis::start();
    let keys = keys_on(redis.store())
        .on_in_flight(InFlight::Wait(LIMIT.into()))
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    redis.command(&["SCRIPT", "FLUSH"]);
    let waits = tokio::spawn(answer(pay(&server, "a", "tea")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    redis.command(&["SCRIPT", "FLUSH"]);
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert_eq!(waits.await.unwrap(), Answer::replayed(201, "run 1"));
}

#[tokio::test]
async fn what_cannot_be_read_is_never_run_over_under_any_policy() {
    let redis = Redis::start();
    for policy in POLICIES {
        let (keys, server, gate) = open_gate(redis.store(), policy);
        let plant: [(&str, &[&str]); 5] = [
            ("newer", &["SET", "", "\u{2}A and whatever version 2 says"]),
            ("corrupt", &["SET", "", "\u{1}A"]),
            ("foreign", &["SET", "", "hello"]),
            ("list", &["RPUSH", "", "x"]),
            ("hash", &["HSET", "", "x", "y"]),
        ];
        for (what, command) in plant {
            let stored = stored(&keys, what);
            let mut command = command.to_vec();
            command[1] = &stored;
            redis.command(&["DEL", &stored]);
            redis.command(&command);
            let refused = pay(&server, what, "tea");
            assert_refused(refused, ProblemKind::ResponseNotStored).await;
            assert_eq!(redis.command(&["EXISTS", &stored]), Value::Int(1), "{what}");
        }
        assert_eq!(gate.entered(), 0);
    }
}

#[tokio::test]
async fn a_record_that_is_no_answer_of_http_is_not_replayed() {
    let redis = Redis::start();
    let (keys, server, gate) = open_gate(redis.store(), StoreFailure::FailOpen);
    assert_eq!(status(pay(&server, "a", "tea")).await, 201);
    let stored = stored(&keys, "a");
    let value: Vec<u8> = redis::from_redis_value(redis.command(&["GET", &stored])).unwrap();
    // The status stands behind version, kind, token and fingerprint.
    let status_at = 2 + 32 + 33;
    assert_eq!(value[status_at..status_at + 2], 201_u16.to_be_bytes());
    let range = status_at.to_string();
    redis.command(&["SETRANGE", &stored, &range, "\0\u{1}"]);
    assert_refused(pay(&server, "a", "tea"), ProblemKind::ResponseNotStored).await;
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn a_full_redis_refuses_new_claims_and_records_answers_later() {
    let redis = Redis::start();
    let keys = keys_on(redis.store()).build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_refused(pay(&server, "b", "tea"), ProblemKind::StoreUnavailable).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(keys.drain(LIMIT).await);
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "run 1")
    );
}

#[tokio::test]
async fn a_claim_that_an_operator_deletes_is_lost_and_its_handler_is_told() {
    let redis = Redis::start();
    let keys = keys_on(redis.store()).lease(LEASE).build().unwrap();
    let gate = Gate::closed();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        serve!(
            App::new()
                .wrap(keys.clone())
                .app_data(web::Data::new(gate.clone()))
                .route(
                    "/",
                    web::post().to(async |gate: web::Data<Gate>, claim: Claim| {
                        assert!(!claim.is_lost());
                        gate.pass().await;
                        claim.lost().await;
                        assert!(claim.is_lost());
                        assert!(claim.fencing_token().await.unwrap_err().is_lost());
                        HttpResponse::Created().body("stopped")
                    })
                )
        )
    };
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    redis.command(&["DEL", &stored(&keys, "a")]);
    gate.let_go(1);
    let first = tokio::time::timeout(LIMIT, first)
        .await
        .expect("it is told")
        .unwrap();
    assert_eq!(first, Answer::executed(201, "stopped"));
    // The place is vacant, and an answer that exists is better kept.
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "stopped")
    );
}

each_store!(of_many_that_find_a_dead_owner_one_takes_over);
async fn of_many_that_find_a_dead_owner_one_takes_over(backend: &Backend) {
    // Long enough for all to come before the successor's lapses in turn.
    let lease = Duration::from_secs(1);
    let keys = backend
        .keys()
        .lease(lease)
        .renew_for(lease)
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let hung = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    tokio::time::sleep(lease * 2 + LEASE).await;
    let others: Vec<_> = (0..30)
        .map(|_| tokio::spawn(answer(pay(&server, "a", "tea"))))
        .collect();
    eventually("all but one are refused", async || {
        others.iter().filter(|other| other.is_finished()).count() == 29
    })
    .await;
    assert_eq!(gate.entered(), 2);
    gate.let_go(2);
    let answers = join_all(others).await.into_iter().map(Result::unwrap);
    assert_eq!(answers.filter(|answer| answer.status == 201).count(), 1);
    hung.await.unwrap().unwrap();
}

/// Asks again for as long as it is refused.
async fn answer_when_free(request: RequestBuilder) -> Answer {
    loop {
        let got = answer(request.try_clone().unwrap()).await;
        if got.status != 409 {
            return got;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

each_store!(a_late_failure_does_not_free_the_key_of_its_successor);
async fn a_late_failure_does_not_free_the_key_of_its_successor(backend: &Backend) {
    let keys = backend
        .keys()
        .lease(LEASE)
        .renew_for(LEASE)
        .build()
        .unwrap();
    let gates = [Gate::closed(), Gate::closed()];
    let server = {
        let (keys, gates) = (keys.clone(), gates.clone());
        serve!(
            2,
            App::new()
                .wrap(keys.clone())
                .app_data(web::Data::new(gates.clone()))
                .route(
                    "/",
                    web::post().to(async |gates: web::Data<[Gate; 2]>, claim: Claim| {
                        match claim.attempt().get() {
                            1 => {
                                gates[0].pass().await;
                                HttpResponse::ServiceUnavailable().finish()
                            }
                            _ => {
                                gates[1].pass().await;
                                HttpResponse::Created().body("successor")
                            }
                        }
                    })
                )
        )
    };
    let late = tokio::spawn(answer(pay(&server, "a", "tea")));
    gates[0].wait_for_entered(1).await;
    let successor = tokio::spawn(answer_when_free(pay(&server, "a", "tea")));
    gates[1].wait_for_entered(1).await;
    gates[0].let_go(1);
    assert_eq!(
        late.await.unwrap().status,
        503,
        "it would free the key, if it were its own"
    );
    gates[1].let_go(1);
    assert_eq!(successor.await.unwrap(), Answer::executed(201, "successor"));
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "successor")
    );
}

each_store!(renewals_and_releases_may_meet);
async fn renewals_and_releases_may_meet(backend: &Backend) {
    // A renewal every 16 ms, and handlers that fail at any moment around it.
    let keys = backend
        .keys()
        .lease(Duration::from_millis(100))
        .build()
        .unwrap();
    let wrapped = keys.clone();
    let server = serve!(
        2,
        App::new()
            .wrap(wrapped.clone())
            .default_service(web::to(async || {
                tokio::time::sleep(Duration::from_millis(rand::random_range(20..80))).await;
                HttpResponse::ServiceUnavailable().finish()
            }))
    );
    let rounds = (0..40).map(|n| {
        let server = &server;
        async move {
            for _ in 0..5 {
                let key = format!("k{n}");
                assert_eq!(answer(pay(server, &key, "tea")).await.status, 503);
            }
        }
    });
    join_all(rounds).await;
    assert!(keys.drain(LIMIT).await);
    if let Some(redis) = backend.redis_server() {
        assert!(redis.calls("pexpire") > 20, "renewals have happened");
    }
    // Nothing has come back to life.
    backend.assert_empty().await;
}

each_store!(a_client_that_resets_during_a_replay_touches_nothing);
async fn a_client_that_resets_during_a_replay_touches_nothing(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(async || {
                HttpResponse::Ok().body(vec![b'x'; 1_000_000])
            }))
    );
    let whole = answer(pay(&server, "a", "")).await;
    for _ in 0..5 {
        let mut wire = Wire::to(server.addr()).await;
        wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\n\r\n")
            .await;
        wire.read_until("idempotent-replayed").await;
        wire.reset();
    }
    let again = answer(pay(&server, "a", "")).await;
    assert_eq!(again.body.len(), 1_000_000);
    assert_eq!(again, Answer::replayed(200, whole.body));
}

each_store!(a_reset_of_http2_lets_the_handler_run_to_its_end);
async fn a_reset_of_http2_lets_the_handler_run_to_its_end(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let keys = keys.build().unwrap();
    let server = numbered(&keys, &gate);
    let request = http2_client()
        .post(server.url("/"))
        .header("idempotency-key", "a");
    let first = tokio::spawn(request.send());
    gate.wait_for_entered(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.let_go(1);
    eventually("its answer is recorded", async || {
        let again = post(&server, "/", "").header("idempotency-key", "a");
        answer(again).await == Answer::replayed(201, "run 1")
    })
    .await;
}

each_store!(a_forced_stop_frees_keys_or_lets_them_lapse);
async fn a_forced_stop_frees_keys_or_lets_them_lapse(backend: &Backend) {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let keys = backend
            .keys()
            .key_prefix(format!("{policy:?}:"))
            .lease(Duration::from_millis(500));
        let keys = keys.on_expired_lease(policy).build().unwrap();
        let gate = Gate::closed();
        let server = numbered(&keys, &gate);
        let cut_off = tokio::spawn(pay(&server, "a", "tea").send());
        gate.wait_for_entered(1).await;
        // One more whose client has left before: it runs in a task of its own.
        let mut wire = Wire::to(server.addr()).await;
        wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: b\r\n\r\n")
            .await;
        gate.wait_for_entered(2).await;
        wire.reset();
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.stop(false).await;
        cut_off.await.unwrap().unwrap_err();
        assert!(keys.drain(LIMIT).await);
        let next = numbered(&keys, &Gate::open());
        for (key, body) in [("a", "tea"), ("b", "")] {
            match policy {
                ExpiredLease::Refuse => {
                    eventually("its lease lapses", async || {
                        let answer = pay(&next, key, body).send().await.unwrap();
                        !answer.headers().contains_key("retry-after")
                    })
                    .await;
                    assert_refused(pay(&next, key, body), ProblemKind::OutcomeUnknown).await;
                }
                _ => assert_eq!(
                    answer(pay(&next, key, body)).await.status,
                    201,
                    "{key} is free"
                ),
            }
        }
    }
}

#[tokio::test]
async fn no_log_line_shows_a_key_a_body_or_a_credential() {
    log::collect();
    let secret = "s3cr3t-log-canary";
    let mut redis = Redis::start();
    redis.command(&["CONFIG", "SET", "requirepass", secret]);
    let url = format!("redis://:{secret}@127.0.0.1:{}/", redis.port());
    let store = actix_web_idempotency::RedisStore::new(url).unwrap();
    for policy in POLICIES {
        let keys = Idempotency::builder(store.clone(), Scope::header("x-user"))
            .on_store_failure(policy)
            .on_in_flight(InFlight::Wait(Duration::from_millis(50).into()))
            .key_prefix("log-canary:")
            .lease(LEASE)
            .build()
            .unwrap();
        let handler = async |req: actix_web::HttpRequest| {
            tokio::time::sleep(LEASE * 2).await;
            match req.headers().contains_key("panic") {
                true => std::panic::resume_unwind(Box::new("on purpose")),
                false => HttpResponse::build(StatusCode::CREATED).body("s3cr3t-log-canary"),
            }
        };
        let server = serve!(
            2,
            App::new()
                .wrap(keys.clone())
                .default_service(web::to(handler))
        );
        let send = |key: &'static str, panics: bool| {
            let mut request = pay(&server, key, "s3cr3t-log-canary").header("x-user", secret);
            request = request.header("authorization", secret);
            if panics {
                request = request.header("panic", "1");
            }
            tokio::spawn(request.send())
        };
        let pair = [
            send("s3cr3t-log-canary", false),
            send("s3cr3t-log-canary", false),
        ];
        let panics = send("s3cr3t-log-canary-2", true);
        for sent in pair
            .into_iter()
            .chain([panics, send("s3cr3t-log-canary \u{7f}", false)])
        {
            let _ = sent.await.unwrap();
        }
        redis.kill();
        let _ = send("s3cr3t-log-canary-3", false).await.unwrap();
        redis.restart();
        redis.command(&["CONFIG", "SET", "requirepass", secret]);
    }
    assert!(
        log::lines_with(secret).is_empty(),
        "{:?}",
        log::lines_with(secret)
    );
    assert!(
        log::lines_with("log-canary:").len() >= 3,
        "{:?}",
        log::lines_with("log-canary:")
    );
}
