//! `ApiLock`: section 1 of the HTTP contract, row by row, on both stores.

use std::time::Duration;

use actix_web::{
    App, HttpRequest, HttpResponse,
    error::{ErrorImATeapot, ErrorPaymentRequired},
    http::{Method, header},
    web,
};
use actix_web_idempotency::{
    ApiLock, MemoryStore,
    api_lock::{ApiLockBuilder, LockPayload},
    problem::{ProblemKind, Problems},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::{Gate, gated, is_refused},
        locks::{lock_on, memory_lock, payload},
        redis::Redis,
        server::{Server, client, http2_client, post, status},
        wire::Wire,
    },
};

each_store!(the_first_answer_is_the_handlers_own_untouched);
async fn the_first_answer_is_the_handlers_own_untouched(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let app = move |guard: Option<ApiLock>| {
        let scope = web::scope("")
            .route(
                "/created",
                web::post().to(async || {
                    HttpResponse::Created()
                        .append_header(("x-twice", "a"))
                        .append_header(("x-twice", "b"))
                        .body(Bytes::from_static(b"\x00\xff"))
                }),
            )
            .route(
                "/nothing",
                web::post().to(async || HttpResponse::NoContent().finish()),
            )
            .route(
                "/empty",
                web::post().to(async || HttpResponse::Ok().body("")),
            )
            .route(
                "/none",
                web::post().to(async || HttpResponse::Ok().body(actix_web::body::None::new())),
            )
            .route(
                "/same",
                web::post().to(async || HttpResponse::NotModified().finish()),
            )
            .route(
                "/stream",
                web::post().to(async || {
                    let pieces = stream::iter(["one ", "two"])
                        .map(|piece| Ok::<_, actix_web::Error>(Bytes::from(piece)));
                    HttpResponse::Ok().streaming(pieces)
                }),
            );
        App::new().service(
            web::scope("")
                .wrap(actix_web::middleware::Condition::new(
                    guard.is_some(),
                    guard.unwrap_or_else(memory_lock),
                ))
                .service(scope),
        )
    };
    let with = serve!(app(Some(lock.clone())));
    let without = serve!(app(None));
    for path in [
        "/created", "/nothing", "/none", "/empty", "/same", "/stream", "/missing",
    ] {
        let answers = [&with, &without].map(|server| async {
            let mut wire = Wire::to(server.addr()).await;
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            wire.send(head).await;
            let answer = wire.read_to_end().await;
            let lines: Vec<_> = answer.lines().filter(|l| !l.starts_with("date:")).collect();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let mut lines: Vec<String> = (lines.iter().take(head.lines().count() - 1))
                .map(|line| line.to_string())
                .collect();
            lines.sort();
            (lines, body.to_owned())
        });
        let [with, without] = answers;
        assert_eq!(with.await, without.await, "{path}");
    }
}

each_store!(an_equal_request_is_refused_while_the_first_runs);
async fn an_equal_request_is_refused_while_the_first_runs(backend: &Backend) {
    let lock = backend.lock();
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let first = tokio::spawn(post(&server, "/orders", "tea").send());
    gate.wait_for_entered(1).await;

    let refused = post(&server, "/orders", "tea").send().await.unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(
        refused.headers()["content-type"],
        "application/problem+json"
    );
    assert!(!refused.headers().contains_key("retry-after"));
    let problem: Value = refused.json().await.unwrap();
    assert!(problem["type"].as_str().unwrap().ends_with("#busy"));
    assert!(problem["type"].as_str().unwrap().starts_with("https://"));
    assert_eq!(problem["status"], 409);
    assert_eq!(problem["detail"], "Resource is busy");
    assert!(problem["title"].is_string());
    assert_eq!(problem.as_object().unwrap().len(), 4);

    gate.let_go(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(status(post(&server, "/orders", "tea")).await, 201);
    assert_eq!(gate.left(), 2);
}

#[tokio::test]
async fn requests_that_differ_do_not_meet() {
    let gate = Gate::closed();
    let server = gated(memory_lock(), &gate);
    let orders = ["/a", "/b", "/a?x=1"].map(|path| tokio::spawn(post(&server, path, "tea").send()));
    let other = tokio::spawn(post(&server, "/a", "coffee").send());
    gate.wait_for_entered(4).await;
    gate.let_go(4);
    for order in orders.into_iter().chain([other]) {
        assert_eq!(order.await.unwrap().unwrap().status(), 201);
    }
}

#[tokio::test]
async fn message_prefix_base_and_rendering_can_be_chosen() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let builder = || {
        lock_on(redis.store())
            .key_prefix("shop:")
            .error_message("Your order is already being placed")
            .problems(Problems::new().base("https://shop.example/problems"))
    };
    let lock = builder().build().unwrap();
    let server = gated(lock, &gate);
    let first = tokio::spawn(post(&server, "/orders", "tea").send());
    gate.wait_for_entered(1).await;

    let canonical = r#"{"body":"text:tea","path":"/orders","query":""}"#;
    let digest = actix_web_idempotency::Fingerprint::digest(canonical);
    assert_eq!(redis.keys(), [format!("shop:{digest}")]);
    let problem: Value = post(&server, "/orders", "tea")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(problem["detail"], "Your order is already being placed");
    assert_eq!(problem["type"], "https://shop.example/problems#busy");

    let rendered = Problems::new().render(|problem| {
        assert_eq!(problem.kind(), ProblemKind::Busy);
        HttpResponse::TooManyRequests().body(problem.detail().to_owned())
    });
    let rendered = builder().problems(rendered);
    let other = gated(rendered.build().unwrap(), &gate);
    let refused = post(&other, "/orders", "tea").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(
        refused.text().await.unwrap(),
        "Your order is already being placed"
    );
    gate.let_go(1);
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lock_in_redis_is_a_token_with_a_ttl() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = gated(lock_on(redis.store()).build().unwrap(), &gate);
    let first = tokio::spawn(post(&server, "/", "").send());
    gate.wait_for_entered(1).await;
    let key = redis.keys().pop().unwrap();
    assert!(key.starts_with("ApiLock:") && key.len() == 8 + 64, "{key}");
    let value: String =
        actix_web_idempotency::store::redis::redis::from_redis_value(redis.command(&["GET", &key]))
            .unwrap();
    assert!(
        value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit()),
        "{value}"
    );
    let left: u64 = actix_web_idempotency::store::redis::redis::from_redis_value(
        redis.command(&["PTTL", &key]),
    )
    .unwrap();
    assert!((50_000..=60_000).contains(&left), "{left}");
    gate.let_go(1);
    first.await.unwrap().unwrap();
    assert!(
        redis.keys().is_empty(),
        "the answer came after the lock was free"
    );
}

each_store!(the_lock_ends_with_an_error_of_the_handler);
async fn the_lock_ends_with_an_error_of_the_handler(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    // A middleware between lock and handler gives a real `Err`, not a response.
    let server = serve!(
        App::new()
            .wrap(actix_web::middleware::from_fn(
                async |_req: actix_web::dev::ServiceRequest,
                       _next: actix_web::middleware::Next<actix_web::body::BoxBody>| {
                    Err::<actix_web::dev::ServiceResponse, _>(ErrorImATeapot("no"))
                }
            ))
            .wrap(lock.clone())
    );
    for _again in 0..3 {
        assert_eq!(status(post(&server, "/", "x")).await, 418);
    }
}

each_store!(the_lock_ends_with_a_panic_of_the_handler);
async fn the_lock_ends_with_a_panic_of_the_handler(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let handler = async |req: HttpRequest| {
        if req.headers().contains_key("panic") {
            std::panic::panic_any("on purpose");
        }
        HttpResponse::Ok().finish()
    };
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(handler))
    );
    post(&server, "/", "x")
        .header("panic", "1")
        .send()
        .await
        .unwrap_err();
    eventually("the lock is free", async || {
        status(post(&server, "/", "x")).await == 200
    })
    .await;
}

each_store!(the_lock_lasts_until_the_last_byte_of_a_stream);
async fn the_lock_lasts_until_the_last_byte_of_a_stream(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let gate = Gate::closed();
    let handler = {
        let gate = gate.clone();
        move || {
            let gate = gate.clone();
            let pieces = stream::once(async { Ok::<_, actix_web::Error>(Bytes::from("begin ")) })
                .chain(stream::once(async move {
                    gate.pass().await;
                    Ok(Bytes::from("end"))
                }));
            async move { HttpResponse::Ok().streaming(pieces) }
        }
    };
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(handler.clone()))
    );
    let mut answer = post(&server, "/", "x").send().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "begin ");
    gate.wait_for_entered(1).await;
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    gate.let_go(1);
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "end");
    eventually("the lock is free", async || {
        let answer = post(&server, "/", "x").send().await.unwrap();
        // Dropping the answer drops its body in the server too.
        answer.status() == 200
    })
    .await;
    gate.let_go(100);
}

each_store!(the_lock_ends_when_a_body_is_dropped);
async fn the_lock_ends_when_a_body_is_dropped(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let endless = async || {
        let pieces = stream::repeat_with(|| Ok::<_, actix_web::Error>(Bytes::from(vec![0; 4096])));
        HttpResponse::Ok().streaming(pieces)
    };
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(endless))
    );
    let mut wire = Wire::to(server.addr()).await;
    wire.request("POST", "/", "x").await;
    wire.read_until("200 OK").await;
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    wire.reset();
    eventually("the lock is free", async || {
        let mut wire = Wire::to(server.addr()).await;
        wire.request("POST", "/", "x").await;
        wire.read_until("\r\n").await.contains("200 OK")
    })
    .await;
}

each_store!(a_client_that_resets_http1_frees_the_lock_within_moments);
async fn a_client_that_resets_http1_frees_the_lock_within_moments(backend: &Backend) {
    let lock = backend.lock();
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.request("POST", "/", "x").await;
    gate.wait_for_entered(1).await;
    wire.reset();
    gate_free_again(&server, &gate).await;
    assert_eq!(gate.left(), 1, "the first handler was dropped");
}

/// Sends until a request is let in, and lets it go.
async fn gate_free_again(server: &Server, gate: &Gate) {
    let before = gate.entered();
    let second = eventually("the lock is free", async || {
        let request = tokio::spawn(post(server, "/", "x").send());
        eventually("an answer or a run", async || {
            request.is_finished() || gate.entered() > before
        })
        .await;
        if gate.entered() > before {
            gate.let_go(1);
        }
        request.await.unwrap().unwrap().status() == 201
    });
    second.await;
}

each_store!(a_half_close_lets_the_handler_run_to_its_end);
async fn a_half_close_lets_the_handler_run_to_its_end(backend: &Backend) {
    let lock = backend.lock();
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let mut wire = Wire::to(server.addr()).await;
    wire.request("POST", "/", "x").await;
    gate.wait_for_entered(1).await;
    wire.half_close().await;
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    gate.let_go(1);
    assert!(wire.read_to_end().await.starts_with("HTTP/1.1 201"));
    gate.let_go(1);
    assert_eq!(status(post(&server, "/", "x")).await, 201);
}

each_store!(an_http2_client_that_leaves_does_not_end_the_handler);
async fn an_http2_client_that_leaves_does_not_end_the_handler(backend: &Backend) {
    let lock = backend.lock();
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let h2 = http2_client();
    let request = tokio::spawn(h2.post(server.url("/")).body("x").send());
    gate.wait_for_entered(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    drop(h2);
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    gate.let_go(1);
    eventually("the first ends", async || gate.left() == 1).await;
    gate.let_go(1);
    eventually("the lock is free", async || {
        status(post(&server, "/", "x")).await == 201
    })
    .await;
}

each_store!(after_its_ttl_a_lock_is_free_and_the_late_first_leaves_the_second_alone);
async fn after_its_ttl_a_lock_is_free_and_the_late_first_leaves_the_second_alone(
    backend: &Backend,
) {
    let lock = backend.lock();
    let gate = Gate::closed();
    // Long enough for a third request while the second holds the lock.
    let lock = lock.ttl(Duration::from_secs(1)).build().unwrap();
    let server = gated(lock, &gate);
    let first = gate.occupy(&server).await;
    tokio::time::sleep(Duration::from_millis(1020)).await;
    let second = tokio::spawn(post(&server, "/", "x").send());
    gate.wait_for_entered(2).await;
    // The gate is fair: the first to come is the first to go.
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    gate.let_go(1);
    assert_eq!(second.await.unwrap().unwrap().status(), 201);
}

#[tokio::test]
async fn a_payload_closure_that_fails_answers_itself_and_locks_nothing() {
    let redis = Redis::start();
    let closure = |req: &actix_web_idempotency::RequestView<'_>| match req.query_string() {
        "fail" => Err(ErrorPaymentRequired("pay first")),
        "pass" => Ok(None),
        _ => Ok(Some(payload(req))),
    };
    let locks = [
        ApiLock::builder_with_payload(redis.store(), LockPayload::fallible(closure)),
        ApiLock::builder_with_payload(
            redis.store(),
            LockPayload::from_async_fn(async move |req| {
                tokio::task::yield_now().await;
                closure(req)
            }),
        ),
    ];
    for lock in locks {
        let gate = Gate::closed();
        let server = gated(lock.build().unwrap(), &gate);
        let failed = post(&server, "/?fail", "x").send().await.unwrap();
        assert_eq!(failed.status(), 402);
        assert_eq!(failed.text().await.unwrap(), "pay first");
        assert_eq!(gate.entered(), 0);

        let passing = [0, 1].map(|_| tokio::spawn(post(&server, "/?pass", "x").send()));
        gate.wait_for_entered(2).await;
        assert!(redis.keys().is_empty());
        let locked = tokio::spawn(post(&server, "/", "x").send());
        gate.wait_for_entered(3).await;
        assert_eq!(status(post(&server, "/", "x")).await, 409);
        gate.let_go(3);
        for request in passing.into_iter().chain([locked]) {
            assert_eq!(request.await.unwrap().unwrap().status(), 201);
        }
    }
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_our_fault_and_says_nothing() {
    let payload = |_: &actix_web_idempotency::RequestView<'_>| {
        std::collections::HashMap::from([(vec![1], 2)])
    };
    let server = gated(ApiLock::new(MemoryStore::new(), payload), &Gate::open());
    let answer = post(&server, "/", "x").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "");
}

#[tokio::test]
async fn every_method_but_options_is_guarded_unless_narrowed() {
    for method in ["GET", "POST", "DELETE"] {
        assert!(
            is_guarded(lock_on(MemoryStore::new()), method).await,
            "{method}"
        );
    }
    assert!(!is_guarded(lock_on(MemoryStore::new()), "OPTIONS").await);
    let get_only = || lock_on(MemoryStore::new()).methods([Method::GET]);
    assert!(is_guarded(get_only(), "GET").await);
    assert!(!is_guarded(get_only(), "POST").await);
}

/// Whether a second request is refused while the first runs.
async fn is_guarded(lock: ApiLockBuilder, method: &str) -> bool {
    let gate = Gate::closed();
    let server = gated(lock.build().unwrap(), &gate);
    let request = || client().request(method.parse().unwrap(), server.url("/"));
    is_refused(&gate, request(), request()).await
}

#[tokio::test]
async fn what_is_skipped_passes_with_its_body_still_streaming() {
    let gate = Gate::closed();
    let lock = lock_on(MemoryStore::new())
        .skip(|head| head.uri.path().starts_with("/upload"))
        .max_body(10)
        .build()
        .unwrap();
    let handler = {
        let gate = gate.clone();
        move |mut body: web::Payload| {
            let gate = gate.clone();
            async move {
                // The first piece is here while the client still holds the rest back.
                let first = body.next().await.unwrap().unwrap();
                gate.pass().await;
                let mut length = first.len();
                while let Some(piece) = body.next().await {
                    length += piece.unwrap().len();
                }
                HttpResponse::Ok().body(length.to_string())
            }
        }
    };
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(handler.clone()))
    );
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\n0123456789")
        .await;
    gate.wait_for_entered(1).await;
    wire.send("0123456789").await;
    gate.let_go(1);
    let answer = wire.read_until("\r\n\r\n20").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(status(post(&server, "/other", "0123456789+")).await, 413);
}

#[tokio::test]
async fn a_lock_that_ignores_the_body_leaves_it_to_the_handler() {
    let gate = Gate::closed();
    let lock = lock_on(MemoryStore::new())
        .ignore_body(true)
        .max_body(1)
        .build()
        .unwrap();
    let server = gated(lock, &gate);
    let first = tokio::spawn(post(&server, "/", "tea").send());
    gate.wait_for_entered(1).await;
    assert_eq!(status(post(&server, "/", "coffee")).await, 409);
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
}

#[tokio::test]
async fn upgrades_pass_through() {
    let gate = Gate::closed();
    let server = gated(memory_lock(), &gate);
    let upgrade = |protocol: &str| {
        format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: {protocol}\r\n\r\n")
    };
    let mut sockets = Vec::new();
    for n in 1..=2 {
        let mut wire = Wire::to(server.addr()).await;
        wire.send(upgrade("websocket")).await;
        gate.wait_for_entered(n).await;
        sockets.push(wire);
    }
    // Some clients offer HTTP/2 with every first request. That is a plain request all the same.
    let mut first = Wire::to(server.addr()).await;
    first.send(upgrade("h2c")).await;
    gate.wait_for_entered(3).await;
    let mut second = Wire::to(server.addr()).await;
    second.send(upgrade("h2c")).await;
    assert!(
        second
            .read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 409")
    );
    gate.let_go(3);
    assert!(
        first
            .read_until("\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 201")
    );
}

each_store!(wrapped_twice_with_the_same_key_the_inner_one_passes);
async fn wrapped_twice_with_the_same_key_the_inner_one_passes(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let gate = Gate::closed();
    let handler = gate.handler();
    let server = serve!(
        App::new().wrap(lock.clone()).service(
            web::scope("/a")
                .wrap(lock.clone())
                .default_service(web::to(handler.clone()))
        )
    );
    let first = tokio::spawn(post(&server, "/a", "x").send());
    gate.wait_for_entered(1).await;
    assert_eq!(status(post(&server, "/a", "x")).await, 409);
    gate.let_go(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert_eq!(status(post(&server, "/a", "x")).await, 201);
}

#[tokio::test]
async fn two_locks_with_two_keys_both_hold() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let outer = lock_on(redis.store()).key_prefix("outer:").build().unwrap();
    let inner = lock_on(redis.store()).key_prefix("inner:").build().unwrap();
    let handler = gate.handler();
    let server = serve!(
        App::new()
            .wrap(inner.clone())
            .wrap(outer.clone())
            .default_service(web::to(handler.clone()))
    );
    let first = gate.occupy(&server).await;
    assert_eq!(redis.keys().len(), 2);
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn it_wraps_an_app_a_scope_a_resource_and_a_route() {
    let lock = memory_lock();
    let gate = Gate::closed();
    let handler = gate.handler();
    let server = serve!({
        let lock = || lock.clone();
        App::new()
            .service(
                web::scope("/scope")
                    .wrap(lock())
                    .default_service(web::to(handler.clone())),
            )
            .service(
                web::resource("/resource")
                    .wrap(lock())
                    .route(web::to(handler.clone())),
            )
            .service(web::resource("/route").route(web::post().to(handler.clone()).wrap(lock())))
            .service(
                web::scope("/on")
                    .wrap(actix_web::middleware::Condition::new(true, lock()))
                    .default_service(web::to(handler.clone())),
            )
            .service(
                web::scope("/off")
                    .wrap(actix_web::middleware::Condition::new(false, lock()))
                    .default_service(web::to(handler.clone())),
            )
    });
    let mut entered = 0;
    for path in ["/scope", "/resource", "/route", "/on"] {
        let first = tokio::spawn(post(&server, path, "x").send());
        entered += 1;
        gate.wait_for_entered(entered).await;
        assert_eq!(status(post(&server, path, "x")).await, 409, "{path}");
        gate.let_go(1);
        assert_eq!(first.await.unwrap().unwrap().status(), 201);
    }
    let both = [0, 1].map(|_| tokio::spawn(post(&server, "/off", "x").send()));
    gate.wait_for_entered(entered + 2).await;
    gate.let_go(2);
    for request in both {
        assert_eq!(request.await.unwrap().unwrap().status(), 201);
    }
}

#[tokio::test]
async fn its_refusals_pass_through_outer_middlewares() {
    use actix_web::middleware::DefaultHeaders;
    let gate = Gate::closed();
    let builder = ApiLock::builder_with_payload(
        MemoryStore::new(),
        LockPayload::fallible(|req| match req.path() {
            "/fail" => Err(ErrorPaymentRequired("pay first")),
            _ => Ok(Some(payload(req))),
        }),
    );
    let lock = builder.max_body(10).build().unwrap();
    let handler = gate.handler();
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .wrap(DefaultHeaders::new().add((header::X_FRAME_OPTIONS, "DENY")))
            .default_service(web::to(handler.clone()))
    );
    let first = gate.occupy(&server).await;
    for (path, body, status) in [
        ("/", "x", 409),
        ("/fail", "x", 402),
        ("/", "more than ten", 413),
    ] {
        let refused = post(&server, path, body).send().await.unwrap();
        assert_eq!(refused.status(), status);
        assert_eq!(refused.headers()["x-frame-options"], "DENY", "{status}");
    }
    gate.let_go(1);
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_closure_sees_the_whole_request() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(json!(null)));
    let lock = {
        let seen = seen.clone();
        ApiLock::new(MemoryStore::new(), move |req| {
            let payload = json!({
                "method": req.method().as_str(),
                "path": req.path(),
                "query": req.query_string(),
                "pattern": req.match_pattern(),
                "header": req.header("x-user"),
                "missing": req.header("x-none"),
                "body": req.body(),
                "bytes": req.bytes().len(),
                "peer": req.peer_addr().is_some(),
            });
            *seen.lock().unwrap() = payload.clone();
            payload
        })
    };
    let server = serve!(
        App::new()
            .wrap(lock.clone())
            .route("/orders/{id}", web::put().to(async || HttpResponse::Ok()))
    );
    let request = client()
        .put(server.url("/orders/7?a=b"))
        .header("x-user", "ann")
        .json(&json!({ "n": 1 }));
    assert_eq!(status(request).await, 200);
    let expected = json!({
        "method": "PUT",
        "path": "/orders/7",
        "query": "a=b",
        "pattern": "/orders/{id}",
        "header": "ann",
        "missing": null,
        "body": r#"{"n":1}"#,
        "bytes": 7,
        "peer": true,
    });
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_close_ends_the_handler_where_actix_is_told_that_nobody_half_closes() {
    let gate = Gate::closed();
    let lock = memory_lock();
    let server = {
        let gate = gate.clone();
        Server::spawn(move |ready| async move {
            let server = actix_web::HttpServer::new(move || {
                App::new()
                    .wrap(lock.clone())
                    .default_service(web::to(gate.handler()))
            })
            .workers(1)
            .disable_signals()
            .h1_allow_half_closed(false)
            .bind(("127.0.0.1", 0))
            .unwrap();
            let addr = server.addrs()[0];
            let running = server.run();
            ready.send((addr, running.handle())).unwrap();
            running.await.unwrap();
        })
    };
    let mut wire = Wire::to(server.addr()).await;
    wire.request("POST", "/", "x").await;
    gate.wait_for_entered(1).await;
    drop(wire);
    gate_free_again(&server, &gate).await;
}
