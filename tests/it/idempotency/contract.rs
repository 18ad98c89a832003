//! `Idempotency`: section 2 of the HTTP contract, row by row, on both stores.

use std::time::Duration;

use actix_web::{App, HttpResponse, http::Method, web};
use actix_web_idempotency::{
    ApiLock, ExpiredLease, Fingerprinting, Idempotency, InFlight, KeySource, MemoryStore,
    Recording, Scope, StoreFailure, problem::Problems,
};
use futures_util::future::join_all;

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::Gate,
        keys::{Answer, answer, memory_keys, numbered, pay},
        locks::payload,
        problems::{ProblemKind, assert_problem, assert_refused},
        redis::Redis,
        server::{client, http2_client, post, status},
        wire::Wire,
    },
};

const LEASE: Duration = Duration::from_millis(500);
/// A claim that is renewed for one lease has lapsed by then: the last renewal is as late as that.
const AFTER_LEASE: Duration = Duration::from_millis(1200);

each_store!(a_new_key_runs_and_its_answer_is_replayed);
async fn a_new_key_runs_and_its_answer_is_replayed(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::open();
    let server = numbered(&keys.build().unwrap(), &gate);
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::executed(201, "run 1")
    );
    for _again in 0..3 {
        assert_eq!(
            answer(pay(&server, "a", "tea")).await,
            Answer::replayed(201, "run 1")
        );
    }
    assert_eq!(
        answer(pay(&server, "b", "tea")).await,
        Answer::executed(201, "run 2")
    );
    assert_eq!(gate.entered(), 2);
}

each_store!(another_fingerprint_is_told_first_in_every_state);
async fn another_fingerprint_is_told_first_in_every_state(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let keys = keys.lease(LEASE).build().unwrap();
    let server = numbered(&keys, &gate);
    let first = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    assert_refused(pay(&server, "a", "coffee"), ProblemKind::KeyReused).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_refused(pay(&server, "a", "coffee"), ProblemKind::KeyReused).await;
    let other_query = post(&server, "/?x=1", "tea").header("idempotency-key", "a");
    assert_refused(other_query, ProblemKind::KeyReused).await;
    let other_type = pay(&server, "a", "tea").header("content-type", "text/plain");
    assert_refused(other_type, ProblemKind::KeyReused).await;
    assert_eq!(
        answer(pay(&server, "a", "tea")).await.status,
        201,
        "and nothing has changed"
    );
    assert_eq!(gate.entered(), 1);
}

each_store!(in_flight_is_rejected_with_retry_after);
async fn in_flight_is_rejected_with_retry_after(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let server = numbered(&keys.build().unwrap(), &gate);
    let first = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    let refused = pay(&server, "a", "tea").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_problem(refused, ProblemKind::InFlight).await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "run 1"),
        "a refused duplicate has touched nothing"
    );
}

each_store!(of_many_at_once_one_runs);
async fn of_many_at_once_one_runs(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::open();
    let server = numbered(&keys.build().unwrap(), &gate);
    let answers = join_all((0..50).map(|_| answer(pay(&server, "a", "tea")))).await;
    assert_eq!(gate.entered(), 1);
    let first: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201 && !answer.is_replay)
        .collect();
    assert_eq!(first.len(), 1);
    for answer in &answers {
        let is_first = answer.body == "run 1";
        assert!(answer.status == 409 || is_first, "{answer:?}");
    }
}

each_store!(other_methods_and_requests_without_a_key_pass_untouched);
async fn other_methods_and_requests_without_a_key_pass_untouched(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::open();
    let server = numbered(&keys.build().unwrap(), &gate);
    for method in [Method::GET, Method::DELETE, Method::OPTIONS] {
        for _again in 0..2 {
            let request = client().request(method.as_str().parse().unwrap(), server.url("/"));
            // Not even a key that is invalid matters there.
            let request = request.header("idempotency-key", "not a key");
            assert_eq!(status(request).await, 201, "{method}");
        }
    }
    for _again in 0..2 {
        assert_eq!(answer(post(&server, "/", "tea")).await.status, 201);
    }
    assert_eq!(gate.entered(), 8);
    for method in ["PUT", "PATCH"] {
        for replayed in [false, true] {
            let request = client().request(method.parse().unwrap(), server.url("/"));
            let request = request.header("idempotency-key", "a");
            assert_eq!(answer(request).await.is_replay, replayed, "{method}");
        }
    }
    if let Some(redis) = backend.redis_server() {
        assert_eq!(redis.keys().len(), 2);
    }
}

#[tokio::test]
async fn a_body_that_is_not_guarded_streams_through() {
    let gate = Gate::closed();
    let server = numbered(&memory_keys().build().unwrap(), &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nte")
        .await;
    gate.wait_for_entered(1).await; // the handler runs before the body is there
    gate.let_go(1);
    wire.read_until("run 1").await;
}

#[tokio::test]
async fn a_required_key_that_is_missing_is_a_400() {
    let gate = Gate::open();
    let server = numbered(&memory_keys().required(true).build().unwrap(), &gate);
    assert_refused(post(&server, "/", "tea"), ProblemKind::KeyMissing).await;
    assert_eq!(status(client().get(server.url("/"))).await, 201);
    assert_eq!(status(pay(&server, "a", "tea")).await, 201);
    assert_eq!(gate.entered(), 2);
}

#[tokio::test]
async fn keys_that_break_a_rule_are_a_400_and_cost_nothing() {
    let redis = Redis::start();
    let gate = Gate::open();
    let keys = actix_web_idempotency::Idempotency::builder(redis.store(), Scope::global());
    let server = numbered(&keys.build().unwrap(), &gate);
    let long = "k".repeat(256);
    for bad in [
        "",
        "a b",
        "\"a",
        "\"a\";p=1",
        "\"a\" \"b\"",
        "\"\"",
        "\u{e9}",
        &long,
    ] {
        let request = post(&server, "/", "tea").header("idempotency-key", bad.as_bytes());
        assert_refused(request, ProblemKind::KeyInvalid).await;
    }
    let twice = pay(&server, "a", "tea").header("idempotency-key", "a");
    assert_refused(twice, ProblemKind::KeyInvalid).await;
    assert_eq!((gate.entered(), redis.calls("set")), (0, 0));

    for good in ["\"k\\\"1\"", "k\"1"] {
        assert_eq!(
            answer(pay(&server, good, "tea")).await.body,
            "run 1",
            "{good}"
        );
    }
    let longest = "k".repeat(255);
    assert_eq!(answer(pay(&server, &longest, "tea")).await.body, "run 2");
}

#[tokio::test]
async fn name_and_length_of_the_key_header_can_be_chosen() {
    let gate = Gate::open();
    let source = KeySource::header("X-Request-Key").max_length(4);
    let server = numbered(&memory_keys().key(source).build().unwrap(), &gate);
    let request = |key: &str| post(&server, "/", "tea").header("x-request-key", key);
    assert_eq!(answer(request("abcd")).await.body, "run 1");
    assert_eq!(answer(request("\"abcd\"")).await.body, "run 1");
    assert_refused(request("abcde"), ProblemKind::KeyInvalid).await;
    assert_eq!(answer(pay(&server, "not a key", "tea")).await.body, "run 2");
}

#[tokio::test]
async fn a_key_can_be_taken_from_elsewhere() {
    #[derive(serde::Deserialize)]
    struct Transfer {
        id: Option<String>,
    }
    let gate = Gate::open();
    let source = KeySource::from_fn(|req| Ok(req.json::<Transfer>()?.id));
    let server = numbered(
        &memory_keys().required(true).key(source).build().unwrap(),
        &gate,
    );
    assert!(!answer(post(&server, "/", r#"{"id":"a"}"#)).await.is_replay);
    assert!(answer(post(&server, "/", r#"{"id":"a"}"#)).await.is_replay);
    assert_refused(
        post(&server, "/", r#"{"id":"a", "x":1}"#),
        ProblemKind::KeyReused,
    )
    .await;
    assert_refused(post(&server, "/", "{}"), ProblemKind::KeyMissing).await;
    assert_refused(
        post(&server, "/", r#"{"id":"two words"}"#),
        ProblemKind::KeyInvalid,
    )
    .await;
    assert_eq!(
        status(post(&server, "/", "nonsense")).await,
        400,
        "the closure's own error"
    );
    assert_eq!(gate.entered(), 1);
}

each_store!(keys_of_other_scopes_methods_and_paths_are_other_operations);
async fn keys_of_other_scopes_methods_and_paths_are_other_operations(backend: &Backend) {
    let gate = Gate::open();
    let keys = Idempotency::builder(backend.store(), Scope::header("x-tenant"));
    let server = numbered(&keys.build().unwrap(), &gate);
    let ask = |method: &str, path: &str, tenant: &str| {
        let request = client().request(method.parse().unwrap(), server.url(path));
        answer(
            request
                .header("idempotency-key", "a")
                .header("x-tenant", tenant.to_owned()),
        )
    };
    assert_eq!(ask("POST", "/", "acme").await.body, "run 1");
    assert_eq!(ask("POST", "/", "other").await.body, "run 2");
    assert_eq!(ask("PUT", "/", "acme").await.body, "run 3");
    assert_eq!(ask("POST", "/b", "acme").await.body, "run 4");
    assert_eq!(
        ask("POST", "/%62", "acme").await.body,
        "run 5",
        "the path counts as it came"
    );
    assert_eq!(
        ask("POST", "/", "acme").await,
        Answer::replayed(201, "run 1")
    );
    assert_eq!(
        ask("POST", "/", "other").await,
        Answer::replayed(201, "run 2")
    );
}

#[tokio::test]
async fn a_missing_scope_is_a_401_unless_sharing_was_asked_for() {
    let gate = Gate::open();
    let build = |scope: Scope| {
        Idempotency::builder(MemoryStore::new(), scope)
            .build()
            .unwrap()
    };
    let by_name = || Scope::from_fn(|req| req.header("x-user").map(|user| user.into_owned()));
    for scope in [Scope::header("x-user"), by_name()] {
        let server = numbered(&build(scope), &gate);
        assert_refused(pay(&server, "a", "x"), ProblemKind::ScopeMissing).await;
        assert_refused(
            pay(&server, "a", "x").header("x-user", ""),
            ProblemKind::ScopeMissing,
        )
        .await;
        assert_eq!(
            status(post(&server, "/", "x")).await,
            201,
            "without a key no scope is needed"
        );
    }
    let server = numbered(&build(Scope::header("x-user")), &gate);
    let twice = pay(&server, "a", "x")
        .header("x-user", "a")
        .header("x-user", "a");
    assert_refused(twice, ProblemKind::ScopeMissing).await;

    let server = numbered(&build(by_name().or_anonymous()), &gate);
    let first = answer(pay(&server, "a", "x")).await;
    assert_eq!(first.status, 201);
    assert_eq!(
        answer(pay(&server, "a", "x")).await,
        Answer::replayed(201, first.body.clone())
    );
    let named = answer(pay(&server, "a", "x").header("x-user", "a")).await;
    assert_ne!(named.body, first.body, "nobody's name is the anonymous one");
}

#[tokio::test]
async fn a_scope_can_fail_and_can_take_its_time() {
    let gate = Gate::open();
    let scope = Scope::from_async_fn(async |req| {
        tokio::task::yield_now().await;
        match req.header("x-user") {
            Some(user) if user == "evil" => Err(actix_web::error::ErrorForbidden("go away")),
            user => Ok(user.map(|user| user.into_owned())),
        }
    });
    let keys = Idempotency::builder(MemoryStore::new(), scope)
        .build()
        .unwrap();
    let server = numbered(&keys, &gate);
    assert_eq!(
        answer(pay(&server, "a", "x").header("x-user", "ann"))
            .await
            .body,
        "run 1"
    );
    let failed = answer(pay(&server, "a", "x").header("x-user", "evil")).await;
    assert_eq!(failed, Answer::executed(403, "go away"));
    assert_refused(pay(&server, "a", "x"), ProblemKind::ScopeMissing).await;
}

#[tokio::test]
async fn scope_by_host_is_the_authority_on_http2() {
    let keys = Idempotency::builder(MemoryStore::new(), Scope::header("host"));
    let view = Idempotency::builder(
        MemoryStore::new(),
        Scope::from_fn(|req| req.header("host").map(|host| host.into_owned())),
    );
    for keys in [keys, view] {
        let keys = keys.build().unwrap();
        let server = numbered(&keys, &Gate::open());
        let local = server.url("/").replace("127.0.0.1", "localhost");
        let sent = async |client: reqwest::Client, url: &str| {
            let request = client.post(url).header("idempotency-key", "a").body("tea");
            answer(request).await
        };
        assert_eq!(
            sent(http2_client(), &server.url("/")).await,
            Answer::executed(201, "run 1")
        );
        // The same host on HTTP/1, and another one.
        assert_eq!(
            sent(client(), &server.url("/")).await,
            Answer::replayed(201, "run 1")
        );
        assert_eq!(
            sent(http2_client(), &local).await,
            Answer::executed(201, "run 2")
        );
    }
}

#[tokio::test]
async fn fingerprint_with_host_has_the_authority_on_http2() {
    let fingerprinting = Fingerprinting::new().with_header("host");
    let keys = memory_keys()
        .fingerprinting(fingerprinting)
        .build()
        .unwrap();
    let server = numbered(&keys, &Gate::open());
    let local = server.url("/").replace("127.0.0.1", "localhost");
    let sent = |client: reqwest::Client, url: &str| {
        client.post(url).header("idempotency-key", "a").body("tea")
    };
    let first = answer(sent(http2_client(), &server.url("/"))).await;
    assert_eq!(first, Answer::executed(201, "run 1"));
    // The same host on HTTP/1, and another one on HTTP/2.
    let again = answer(sent(client(), &server.url("/"))).await;
    assert_eq!(again, Answer::replayed(201, "run 1"));
    assert_refused(sent(http2_client(), &local), ProblemKind::KeyReused).await;
}

#[tokio::test]
async fn the_stored_key_is_prefix_and_digest_and_operators_can_compute_it() {
    let redis = Redis::start();
    let scope = Scope::header("x-tenant");
    let keys = Idempotency::builder(redis.store(), scope)
        .key_prefix("shop:")
        .build()
        .unwrap();
    let server = numbered(&keys, &Gate::open());
    let request = post(&server, "/orders", "x").header("idempotency-key", "\"secret\"");
    assert_eq!(status(request.header("x-tenant", "acme")).await, 201);
    let key = "secret".parse().unwrap();
    let stored = keys.stored_key(Some("acme"), &Method::POST, "/orders", &key);
    assert_eq!(redis.keys(), [stored.to_string()]);
    assert!(stored.to_string().starts_with("shop:") && stored.to_string().len() == 5 + 64);
    let left: u64 = actix_web_idempotency::store::redis::redis::from_redis_value(
        redis.command(&["TTL", &stored.to_string()]),
    )
    .unwrap();
    assert!((86_000..=86_400).contains(&left), "{left}");
}

each_store!(an_owner_that_died_is_followed_by_the_next_attempt);
async fn an_owner_that_died_is_followed_by_the_next_attempt(backend: &Backend) {
    let keys = backend
        .keys()
        .lease(LEASE)
        .renew_for(LEASE)
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = attempts(&keys, &gate);
    // Renewed for no longer than a lease, a hung handler loses its claim as a dead one does.
    let hung = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    tokio::time::sleep(AFTER_LEASE).await;
    assert_refused(pay(&server, "a", "coffee"), ProblemKind::KeyReused).await;
    let second = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(2).await;
    gate.let_go(2);
    // Who completes first is recorded; the other never overwrites it.
    let second = second.await.unwrap();
    assert_eq!(second, Answer::executed(201, "attempt 2"));
    assert_eq!(
        hung.await.unwrap().unwrap().text().await.unwrap(),
        "attempt 1"
    );
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "attempt 2")
    );
}

/// A server whose handler answers with the number of its attempt.
fn attempts(keys: &Idempotency, gate: &Gate) -> crate::support::server::Server {
    let (keys, gate) = (keys.clone(), gate.clone());
    serve!(
        App::new()
            .wrap(keys.clone())
            .app_data(web::Data::new(gate.clone()))
            .route(
                "/",
                web::post().to(
                    async |gate: web::Data<Gate>, claim: actix_web_idempotency::Claim| {
                        gate.pass().await;
                        HttpResponse::Created().body(format!("attempt {}", claim.attempt()))
                    }
                )
            )
    )
}

each_store!(an_owner_that_died_is_not_followed_when_nobody_may);
async fn an_owner_that_died_is_not_followed_when_nobody_may(backend: &Backend) {
    let keys = backend
        .keys()
        .lease(LEASE)
        .renew_for(LEASE)
        .on_expired_lease(ExpiredLease::Refuse);
    let keys = keys.build().unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let hung = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
    tokio::time::sleep(AFTER_LEASE).await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::OutcomeUnknown).await;
    assert_refused(pay(&server, "a", "coffee"), ProblemKind::KeyReused).await;
    gate.let_go(1);
    assert_eq!(hung.await.unwrap().unwrap().status(), 201);
    let replay = answer(pay(&server, "a", "tea")).await;
    assert_eq!(
        replay,
        Answer::replayed(201, "run 1"),
        "the outcome is known after all"
    );
    assert_eq!(gate.entered(), 1);
}

each_store!(a_panic_is_a_500_and_what_follows_depends_on_the_policy);
async fn a_panic_is_a_500_and_what_follows_depends_on_the_policy(backend: &Backend) {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let keys = backend.keys();
        let prefix = format!("{policy:?}:");
        let keys = keys
            .lease(LEASE)
            .on_expired_lease(policy)
            .key_prefix(prefix)
            .build()
            .unwrap();
        let panics = async || -> HttpResponse { std::panic::resume_unwind(Box::new("secret")) };
        let server = serve!(
            App::new()
                .wrap(keys.clone())
                .route("/", web::post().to(panics))
        );
        let answered = answer(pay(&server, "a", "tea")).await;
        assert_eq!(answered, Answer::executed(500, ""));
        match policy {
            ExpiredLease::Refuse => {
                assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
                tokio::time::sleep(AFTER_LEASE).await;
                assert_refused(pay(&server, "a", "tea"), ProblemKind::OutcomeUnknown).await;
            }
            _ => {
                let again = answer(pay(&server, "a", "tea")).await;
                assert_eq!(again.status, 500, "the key is free");
            }
        }
        // The connection and the worker are as good as before.
        assert_eq!(
            crate::support::server::status(post(&server, "/other", "x")).await,
            404
        );
    }
}

each_store!(a_claim_is_renewed_while_its_handler_runs);
async fn a_claim_is_renewed_while_its_handler_runs(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let server = numbered(&keys.lease(LEASE).build().unwrap(), &gate);
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    tokio::time::sleep(LEASE * 5).await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::InFlight).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap(), Answer::executed(201, "run 1"));
    assert!(answer(pay(&server, "a", "tea")).await.is_replay);
    if let Some(redis) = backend.redis_server() {
        assert!(redis.calls("pexpire") >= 2);
    }
}

each_store!(an_answer_is_forgotten_after_its_retention);
async fn an_answer_is_forgotten_after_its_retention(backend: &Backend) {
    let keys = backend.keys().lease(LEASE).retention(LEASE);
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    assert_eq!(answer(pay(&server, "a", "tea")).await.body, "run 1");
    tokio::time::sleep(AFTER_LEASE).await;
    assert_eq!(
        answer(pay(&server, "a", "coffee")).await,
        Answer::executed(201, "run 2")
    );
}

each_store!(the_late_first_leaves_a_forgotten_key_to_whoever_has_it_by_then);
async fn the_late_first_leaves_a_forgotten_key_to_whoever_has_it_by_then(backend: &Backend) {
    let keys = backend.keys();
    // Forgotten after three leases: numbering starts again, with any body.
    let keys = keys.lease(LEASE).renew_for(LEASE).build().unwrap();
    let gate = Gate::closed();
    let server = attempts(&keys, &gate);
    let late = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    tokio::time::sleep(AFTER_LEASE + LEASE * 3).await;
    let next = tokio::spawn(answer(pay(&server, "a", "coffee")));
    gate.wait_for_entered(2).await;
    gate.let_go(1);
    assert_eq!(
        late.await.unwrap().status,
        201,
        "the late one still answers"
    );
    // By its renewals, the other one still holds the key: nothing was freed or overwritten.
    gate.let_go(1);
    assert_eq!(next.await.unwrap(), Answer::executed(201, "attempt 1"));
    assert!(answer(pay(&server, "a", "coffee")).await.is_replay);
    assert_refused(pay(&server, "a", "tea"), ProblemKind::KeyReused).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_stalls_claims_nothing() {
    let redis = Redis::start();
    let keys = Idempotency::builder(redis.store(), Scope::global())
        .max_body(4)
        .body_timeout(Duration::from_millis(100));
    let gate = Gate::open();
    let server = numbered(&keys.build().unwrap(), &gate);
    assert_refused(pay(&server, "a", "large"), ProblemKind::PayloadTooLarge).await;
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 4\r\n\r\nte")
        .await;
    assert!(wire.read_until("body-timeout").await.contains(" 408 "));
    assert_eq!((gate.entered(), redis.calls("set")), (0, 0));
    assert_eq!(status(pay(&server, "a", "tea")).await, 201);
}

#[tokio::test]
async fn a_body_that_breaks_off_claims_nothing() {
    let redis = Redis::start();
    let gate = Gate::open();
    let keys = Idempotency::builder(redis.store(), Scope::global())
        .build()
        .unwrap();
    let server = numbered(&keys, &gate);
    let mut wire = Wire::to(server.addr()).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ntransfer-encoding: chunked\r\n";
    wire.send(format!("{head}\r\nnonsense\r\n")).await;
    wire.read_to_end().await;
    assert_eq!((gate.entered(), redis.calls("set")), (0, 0));
}

each_store!(wrapped_twice_the_inner_one_passes);
async fn wrapped_twice_the_inner_one_passes(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let gate = Gate::open();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        serve!(
            App::new()
                .wrap(keys.clone())
                .wrap(keys.clone())
                .default_service(web::to(gate.numbered()))
        )
    };
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::executed(201, "run 1")
    );
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, "run 1")
    );
}

each_store!(the_refusal_of_an_inner_lock_is_not_recorded);
async fn the_refusal_of_an_inner_lock_is_not_recorded(backend: &Backend) {
    let keys = backend.keys();
    let lock = ApiLock::new(MemoryStore::new(), payload);
    let gate = Gate::closed();
    let server = {
        let (keys, gate) = (keys.build().unwrap(), gate.clone());
        serve!(
            2,
            App::new()
                .wrap(lock.clone())
                .wrap(keys.clone())
                .default_service(web::to(gate.numbered()))
        )
    };
    let first = tokio::spawn(answer(pay(&server, "a", "tea")));
    gate.wait_for_entered(1).await;
    // Another key with the same body meets the lock.
    assert_refused(pay(&server, "b", "tea"), ProblemKind::Busy).await;
    gate.let_go(2);
    assert_eq!(first.await.unwrap().body, "run 1");
    assert_eq!(
        answer(pay(&server, "b", "tea")).await,
        Answer::executed(201, "run 2")
    );
}

#[tokio::test]
async fn problems_can_be_rendered_by_the_application() {
    let problems = Problems::new()
        .base("https://shop.example/problems")
        .retry_after(7)
        .render(|problem| {
            let mut answer = problem.to_response();
            let uri = problem.type_uri();
            answer
                .headers_mut()
                .insert("x-type".parse().unwrap(), uri.parse().unwrap());
            answer
        });
    let gate = Gate::closed();
    let server = numbered(&memory_keys().problems(problems).build().unwrap(), &gate);
    let first = tokio::spawn(pay(&server, "a", "tea").send());
    gate.wait_for_entered(1).await;
    let refused = pay(&server, "a", "tea").send().await.unwrap();
    assert_eq!(
        refused.headers()["x-type"],
        "https://shop.example/problems#in-flight"
    );
    assert_eq!(refused.headers()["retry-after"], "7");
    gate.let_go(1);
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn skipped_requests_and_upgrades_pass() {
    let gate = Gate::open();
    let keys = memory_keys()
        .skip(|head| head.uri.path() == "/upload")
        .build()
        .unwrap();
    let server = numbered(&keys, &gate);
    for run in 1..=2 {
        let request = post(&server, "/upload", "x").header("idempotency-key", "a");
        assert_eq!(answer(request).await.body, format!("run {run}"));
    }

    let guards_get = memory_keys().methods([Method::GET]).build().unwrap();
    let server = numbered(&guards_get, &gate);
    for run in 3..=4 {
        let mut wire = Wire::to(server.addr()).await;
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
        wire.send(format!(
            "GET / HTTP/1.1\r\nhost: x\r\nidempotency-key: u\r\n{upgrade}\r\n"
        ))
        .await;
        wire.read_until(&format!("run {run}")).await;
    }
}

#[tokio::test]
async fn it_works_over_http2_and_at_every_wrap_level() {
    let keys = memory_keys().build().unwrap();
    let gate = Gate::open();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        serve!(
            App::new()
                .service(
                    web::scope("/scope")
                        .wrap(keys.clone())
                        .route("/{id}", web::post().to(gate.numbered()))
                )
                .service(
                    web::resource("/resource/{id}")
                        .wrap(keys.clone())
                        .route(web::post().to(gate.numbered()))
                )
                .service(
                    web::resource("/route/{id}")
                        .route(web::post().to(gate.numbered()).wrap(keys.clone()))
                )
                .service(
                    web::scope("/condition")
                        .wrap(actix_web::middleware::Condition::new(true, keys.clone()))
                        .route("/{id}", web::post().to(gate.numbered()))
                )
        )
    };
    for (n, path) in ["/scope/1", "/resource/1", "/route/1", "/condition/1"]
        .iter()
        .enumerate()
    {
        for (client, is_replay) in [(client(), false), (http2_client(), true)] {
            let request = client.post(server.url(path)).header("idempotency-key", "a");
            let expected = Answer {
                is_replay,
                ..Answer::executed(201, format!("run {}", n + 1))
            };
            assert_eq!(answer(request).await, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_replay_header_can_be_named() {
    let recording = Recording::new().replay_header("X-Again");
    let server = numbered(
        &memory_keys().recording(recording).build().unwrap(),
        &Gate::open(),
    );
    let first = pay(&server, "a", "tea").send().await.unwrap();
    assert!(!first.headers().contains_key("x-again"));
    let again = pay(&server, "a", "tea").send().await.unwrap();
    assert_eq!(again.headers()["x-again"], "true");
    assert!(!again.headers().contains_key("idempotent-replayed"));
}

each_store!(a_client_that_leaves_does_not_cut_its_handler_off);
async fn a_client_that_leaves_does_not_cut_its_handler_off(backend: &Backend) {
    let keys = backend
        .keys()
        .on_in_flight(InFlight::Wait(Duration::from_secs(10).into()))
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\ncontent-length: 3\r\n\r\ntea")
        .await;
    gate.wait_for_entered(1).await;
    wire.reset();
    let retry = tokio::spawn(answer(pay(&server, "a", "tea")));
    let drain = tokio::spawn({
        let keys = keys.clone();
        async move { keys.drain(Duration::from_secs(10)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(
        !drain.is_finished(),
        "it waits for the handler, though its client has gone"
    );
    gate.let_go(1);
    assert_eq!(retry.await.unwrap(), Answer::replayed(201, "run 1"));
    assert!(drain.await.unwrap());
    eventually("all is done", async || gate.left() == 1).await;
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn a_full_memory_store_refuses_new_claims_and_forgets_nothing() {
    for policy in [StoreFailure::FailClosed, StoreFailure::FailOpen] {
        let store = MemoryStore::builder().max_entries(1).build().unwrap();
        let keys = Idempotency::builder(store, Scope::global()).on_store_failure(policy);
        let gate = Gate::open();
        let server = numbered(&keys.build().unwrap(), &gate);
        assert_eq!(status(pay(&server, "a", "tea")).await, 201);
        match policy {
            StoreFailure::FailOpen => {
                assert_eq!(answer(pay(&server, "b", "tea")).await.body, "run 2")
            }
            _ => assert_refused(pay(&server, "b", "tea"), ProblemKind::StoreUnavailable).await,
        }
        assert_eq!(
            answer(pay(&server, "a", "tea")).await,
            Answer::replayed(201, "run 1")
        );
    }
}
