//! What is recorded of an answer, what is replayed, and what becomes of answers that cannot be kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse,
    body::SizedStream,
    error::ErrorImATeapot,
    http::{Method, StatusCode, header::HeaderValue},
    web,
};
use actix_web_idempotency::{
    Claim, Idempotency, MemoryStore, Recording, Scope, idempotency::IdempotencyBuilder,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::RequestBuilder;

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::Gate,
        keys::{Answer, REPLAYED, answer, memory_keys, pay},
        problems::{ProblemKind, assert_problem, assert_refused},
        server::{Server, client, post},
        wire::Wire,
    },
};

/// A server whose handler answers as its requests ask in headers, and counts its runs.
fn obedient(keys: IdempotencyBuilder) -> (Server, Arc<AtomicUsize>) {
    let keys = keys.build().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let server = serve!(
        App::new()
            .app_data(web::Data::from(Arc::clone(&counted)))
            .wrap(keys.clone())
            .default_service(web::to(obey))
    );
    (server, runs)
}

async fn obey(
    req: HttpRequest,
    runs: web::Data<AtomicUsize>,
    claim: Option<Claim>,
) -> HttpResponse {
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    let asked = |name: &str| {
        req.headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    if let Some(claim) = claim {
        for wish in asked("wish").unwrap_or_default().split(',') {
            match wish {
                "omit_response" => claim.omit_response(),
                "transient" => claim.mark_transient(),
                "final" => claim.record_always(),
                "short" => claim.retain_for(Duration::from_millis(100)),
                _ => {}
            }
        }
    }
    let status = asked("status").map_or(201, |status| status.parse().unwrap());
    let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
    if let Some(location) = asked("location") {
        answer.insert_header(("location", location));
    }
    let size = asked("size").map_or(0, |size| size.parse().unwrap());
    let piece = Bytes::from(vec![b'0' + run as u8; 10]);
    let pieces = stream::iter(vec![piece; size / 10]).map(Ok::<_, actix_web::Error>);
    match asked("body").as_deref() {
        Some("stream") => answer.streaming(pieces),
        Some("file") => answer.body(SizedStream::new(size as u64, pieces)),
        Some("cut") => {
            answer.streaming(pieces.chain(stream::once(async { Err(ErrorImATeapot("cut off")) })))
        }
        Some("short") => answer.body(SizedStream::new(size as u64 + 1, pieces)),
        Some("memory") => answer.body(vec![b'0' + run as u8; size]),
        _ => answer.body(format!("run {run}")),
    }
}

fn asking(server: &Server, key: &str, wishes: &[(&'static str, &'static str)]) -> RequestBuilder {
    let request = pay(server, key, "tea");
    wishes.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

each_store!(what_asks_for_another_try_frees_the_key_and_all_else_is_replayed);
async fn what_asks_for_another_try_frees_the_key_and_all_else_is_replayed(backend: &Backend) {
    let keys = backend.keys();
    let (server, _) = obedient(keys);
    for status in [
        "200", "204", "301", "304", "400", "403", "404", "409", "422", "418",
    ] {
        let replays = [false, true].map(|replayed| (status.parse().unwrap(), replayed));
        for expected in replays {
            let got = answer(asking(&server, status, &[("status", status)])).await;
            assert_eq!((got.status, got.is_replay), expected);
        }
    }
    for status in ["401", "408", "425", "429", "500", "502", "503", "504"] {
        let mut bodies = vec![];
        for _again in 0..2 {
            let got = answer(asking(&server, status, &[("status", status)])).await;
            let expected = (status.parse().unwrap(), false);
            assert_eq!((got.status, got.is_replay), expected);
            bodies.push(got.body);
        }
        assert_ne!(bodies[0], bodies[1], "it has run again");
    }
}

each_store!(what_is_not_recorded_frees_the_key_whatever_its_size_and_kind);
async fn what_is_not_recorded_frees_the_key_whatever_its_size_and_kind(backend: &Backend) {
    let keys = backend.keys();
    let (server, runs) = obedient(keys.recording(Recording::new().max_body(100)));
    for body in ["memory", "stream", "file"] {
        runs.store(0, Ordering::SeqCst);
        let wishes = [("status", "503"), ("body", body), ("size", "1000")];
        for run in 1..=2 {
            let expected = Answer::executed(503, run.to_string().repeat(1000));
            // A stream frees its key when its last byte has gone, in the background.
            eventually("the key is free", async || {
                let got = answer(asking(&server, body, &wishes)).await;
                assert!(got == expected || got.status == 409, "{got:?}");
                got == expected
            })
            .await;
            assert_eq!(runs.load(Ordering::SeqCst), run);
        }
    }
}

each_store!(streams_and_files_below_the_cap_are_replayed);
async fn streams_and_files_below_the_cap_are_replayed(backend: &Backend) {
    let keys = backend.keys();
    let (server, runs) = obedient(keys.recording(Recording::new().max_body(100)));
    for body in ["stream", "file", "memory"] {
        for size in ["0", "10", "100"] {
            runs.store(0, Ordering::SeqCst);
            let key = format!("{body}{size}");
            let wishes = [("body", body), ("size", size)];
            let expected = "1".repeat(size.parse().unwrap());
            let first = answer(asking(&server, &key, &wishes)).await;
            assert_eq!(first, Answer::executed(201, expected.clone()), "{key}");
            eventually("it is recorded", async || {
                let again = asking(&server, &key, &wishes).send().await.unwrap();
                if again.status() == 409 {
                    return false;
                }
                assert_eq!(again.headers()[REPLAYED], "true", "{key}");
                assert_eq!(again.content_length(), Some(expected.len() as u64));
                assert_eq!(again.text().await.unwrap(), expected);
                true
            })
            .await;
            assert_eq!(runs.load(Ordering::SeqCst), 1);
        }
    }
}

each_store!(an_answer_that_cannot_be_kept_is_never_run_again);
async fn an_answer_that_cannot_be_kept_is_never_run_again(backend: &Backend) {
    let keys = backend.keys();
    let (server, runs) = obedient(keys.recording(Recording::new().max_body(99)));
    let cases: [(&str, &[_]); 6] = [
        ("large", &[("body", "memory"), ("size", "100")]),
        ("large file", &[("body", "file"), ("size", "100")]),
        ("large stream", &[("body", "stream"), ("size", "100")]),
        ("cut stream", &[("body", "cut"), ("size", "50")]),
        ("short file", &[("body", "short"), ("size", "50")]),
        ("no store", &[("wish", "omit_response")]),
    ];
    for (what, wishes) in cases {
        runs.store(0, Ordering::SeqCst);
        let key = what.replace(' ', "-");
        let wishes = [wishes, &[("location", "/orders/7")]].concat();
        // What is cut off may not even show its head.
        if let Ok(first) = asking(&server, &key, &wishes).send().await {
            assert_eq!(first.status(), 201, "{what}");
            let _may_be_cut_off = first.bytes().await;
        }
        for _again in 0..2 {
            eventually("it has ended", async || {
                let again = asking(&server, &key, &wishes).send().await.unwrap();
                if again.headers().contains_key("retry-after") {
                    return false;
                }
                let told = assert_problem(again, ProblemKind::ResponseNotStored).await;
                assert_eq!(told["original_status"], 201, "{what}");
                assert_eq!(told["location"], "/orders/7", "{what}");
                true
            })
            .await;
        }
        assert_refused(pay(&server, &key, "coffee"), ProblemKind::KeyReused).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1, "{what}");
    }
}

each_store!(the_handler_can_override_the_rule);
async fn the_handler_can_override_the_rule(backend: &Backend) {
    let keys = backend.keys();
    let (server, _) = obedient(keys.recording(Recording::new().max_body(10)));
    let replays = async |key: &str, wishes: &[(&'static str, &'static str)]| {
        let first = answer(asking(&server, key, wishes)).await;
        assert!(!first.is_replay, "{key}");
        let again = answer(asking(&server, key, wishes)).await;
        if again.is_replay {
            assert_eq!(
                (first.status, first.body),
                (again.status, again.body),
                "{key}"
            );
        }
        again.is_replay
    };
    assert!(!replays("transient", &[("wish", "transient")]).await);
    assert!(replays("final", &[("wish", "final"), ("status", "503")]).await);
    assert!(replays("last", &[("wish", "transient,final"), ("status", "503")]).await);
    assert!(!replays("last2", &[("wish", "final,transient")]).await);
    // What is not to be recorded is not, however large; and omit_response says nothing against it.
    let large = [("wish", "transient"), ("body", "memory"), ("size", "1000")];
    assert!(!replays("large", &large).await);
    assert!(!replays("both", &[("wish", "transient,omit_response")]).await);
    let again = asking(&server, "both", &[]);
    assert_eq!(answer(again).await.status, 201, "the key is free");
    let final_unseen = [("wish", "final,omit_response"), ("status", "500")];
    assert!(!replays("unseen", &final_unseen).await);
    assert_refused(
        asking(&server, "unseen", &[]),
        ProblemKind::ResponseNotStored,
    )
    .await;
    assert!(replays("short", &[("wish", "short")]).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        !answer(asking(&server, "short", &[])).await.is_replay,
        "its retention has passed"
    );
}

#[tokio::test]
async fn a_predicate_replaces_the_rule() {
    let only_success = Recording::new().when(|response| response.status().is_success());
    let (server, _) = obedient(memory_keys().recording(only_success));
    for (status, recorded) in [("201", true), ("404", false), ("500", false)] {
        answer(asking(&server, status, &[("status", status)])).await;
        let again = answer(asking(&server, status, &[("status", status)])).await;
        assert_eq!(again.is_replay, recorded, "{status}");
    }
}

#[tokio::test]
async fn a_predicate_that_panics_does_not_free_the_key() {
    let panics = Recording::new().when(|_| std::panic::resume_unwind(Box::new("on purpose")));
    let (server, runs) = obedient(memory_keys().recording(panics));
    assert_eq!(
        answer(asking(&server, "a", &[])).await,
        Answer::executed(201, "run 1")
    );
    assert_eq!(
        answer(asking(&server, "a", &[])).await,
        Answer::replayed(201, "run 1")
    );
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

each_store!(a_stream_that_panics_counts_as_cut_off);
async fn a_stream_that_panics_counts_as_cut_off(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let server = {
        let keys = keys.clone();
        serve!(
            App::new()
                .wrap(keys.clone())
                .default_service(web::to(async || {
                    let pieces = stream::once(async {
                        std::panic::resume_unwind(Box::new("on purpose"));
                        #[allow(unreachable_code, reason = "it says what the stream is of")]
                        Ok::<_, actix_web::Error>(Bytes::new())
                    });
                    HttpResponse::Created().streaming(pieces)
                }))
        )
    };
    drop(pay(&server, "a", "tea").send().await);
    eventually("it has ended", async || {
        // The worker goes down with the connection's task, and comes back.
        let again = pay(&server, "a", "tea").send().await;
        again.is_ok_and(|again| !again.headers().contains_key("retry-after"))
    })
    .await;
    assert_refused(pay(&server, "a", "tea"), ProblemKind::ResponseNotStored).await;
}

/// A server that answers with all sorts of headers and bytes.
fn colourful(keys: IdempotencyBuilder) -> Server {
    let keys = keys.build().unwrap();
    serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(async || {
                HttpResponse::Created()
                    .append_header(("x-twice", "one"))
                    .append_header(("x-twice", "two"))
                    .append_header(("x-latin", HeaderValue::from_bytes(b"\xe9\xff").unwrap()))
                    .append_header(("x-empty", ""))
                    .append_header(("set-cookie", "session=1"))
                    .append_header(("www-authenticate", "Basic"))
                    .append_header(("proxy-authenticate", "Basic"))
                    .append_header(("keep-alive", "timeout=5"))
                    .append_header(("content-type", "application/x-colourful"))
                    .append_header(("location", "/orders/1"))
                    .body(Bytes::from_static(b"\x00\x01\xfe\xff\r\n"))
            }))
    )
}

each_store!(headers_and_body_come_back_as_they_were);
async fn headers_and_body_come_back_as_they_were(backend: &Backend) {
    let keys = backend.keys();
    let server = colourful(keys);
    let first = pay(&server, "a", "x").send().await.unwrap();
    assert_eq!(
        first.headers()["set-cookie"],
        "session=1",
        "the first has them all"
    );
    let again = pay(&server, "a", "x").send().await.unwrap();
    let headers = again.headers().clone();
    assert_eq!(headers[REPLAYED], "true");
    let twice: Vec<_> = headers.get_all("x-twice").iter().collect();
    assert_eq!(twice, ["one", "two"]);
    assert_eq!(headers["x-latin"].as_bytes(), b"\xe9\xff");
    assert_eq!(headers["x-empty"], "");
    assert_eq!(headers["content-type"], "application/x-colourful");
    assert_eq!(headers["location"], "/orders/1");
    assert_eq!(headers["content-length"], "6");
    assert!(headers.contains_key("date"), "the server's own");
    for never in [
        "set-cookie",
        "www-authenticate",
        "proxy-authenticate",
        "keep-alive",
    ] {
        assert!(!headers.contains_key(never), "{never}");
    }
    assert_eq!(again.status(), first.status());
    assert_eq!(again.bytes().await.unwrap(), b"\x00\x01\xfe\xff\r\n"[..]);
}

#[tokio::test]
async fn lists_of_headers_replace_the_default() {
    let names = async |recording: Recording| {
        let server = colourful(memory_keys().recording(recording));
        pay(&server, "a", "x").send().await.unwrap();
        let again = pay(&server, "a", "x").send().await.unwrap();
        let mut names: Vec<_> = again
            .headers()
            .keys()
            .map(|name| name.to_string())
            .collect();
        names.retain(|name| !["date", "content-length", REPLAYED].contains(&name.as_str()));
        names.sort();
        names
    };
    assert_eq!(
        names(Recording::new().only_headers(["Location", "x-absent"])).await,
        ["location"]
    );
    assert_eq!(
        names(Recording::new().without_headers(["X-Latin", "x-empty"])).await,
        [
            "content-type",
            "location",
            "set-cookie",
            "www-authenticate",
            "x-twice"
        ]
    );
}

each_store!(empty_answers_and_head_are_replayed_as_they_were);
async fn empty_answers_and_head_are_replayed_as_they_were(backend: &Backend) {
    let keys = backend
        .keys()
        .methods([Method::POST, Method::HEAD])
        .build()
        .unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .route(
                "/204",
                web::post().to(async || HttpResponse::NoContent().finish())
            )
            .route(
                "/304",
                web::post().to(async || HttpResponse::NotModified().finish())
            )
            .route(
                "/empty",
                web::post().to(async || HttpResponse::Ok().body(""))
            )
            .route(
                "/head",
                web::head().to(async || HttpResponse::Ok().body("eight by"))
            )
    );
    for (method, path) in [
        ("POST", "/204"),
        ("POST", "/304"),
        ("POST", "/empty"),
        ("HEAD", "/head"),
    ] {
        let ask = async || {
            let mut wire = Wire::to(server.addr()).await;
            let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
            wire.send(head + "idempotency-key: a\r\n\r\n").await;
            let answer = wire.read_to_end().await;
            let replayed = answer.contains(REPLAYED);
            let mut lines: Vec<_> = answer.lines().map(str::to_owned).collect();
            lines.retain(|line| !line.starts_with("date:") && !line.starts_with(REPLAYED));
            lines.sort();
            (lines, replayed)
        };
        let (first, again) = (ask().await, ask().await);
        assert!(!first.1 && again.1, "{path}");
        assert_eq!(first.0, again.0, "{path}");
    }
}

each_store!(an_error_of_a_middleware_inside_is_recorded_like_an_answer);
async fn an_error_of_a_middleware_inside_is_recorded_like_an_answer(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let server = serve!({
        let runs = Arc::clone(&counted);
        App::new()
            .wrap(actix_web::middleware::from_fn(
                move |req: actix_web::dev::ServiceRequest,
                      _next: actix_web::middleware::Next<actix_web::body::BoxBody>| {
                    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                    async move {
                        let err: actix_web::Error = match req.path() {
                            "/teapot" => ErrorImATeapot(format!("run {run}")),
                            _ => actix_web::error::ErrorInternalServerError("broken"),
                        };
                        Err::<actix_web::dev::ServiceResponse, _>(err)
                    }
                },
            ))
            .wrap(keys.clone())
    });
    let ask = |path| answer(post(&server, path, "x").header("idempotency-key", "a"));
    assert_eq!(ask("/teapot").await, Answer::executed(418, "run 1"));
    assert_eq!(ask("/teapot").await, Answer::replayed(418, "run 1"));
    assert_eq!(ask("/broken").await.status, 500);
    assert!(!ask("/broken").await.is_replay);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_memory_store_short_of_bytes_keeps_the_fact() {
    let store = MemoryStore::builder().max_bytes(1000).build().unwrap();
    let (server, runs) = obedient(Idempotency::builder(store, Scope::global()));
    let wishes = [("body", "memory"), ("size", "900"), ("location", "/1")];
    for key in ["a", "b"] {
        assert_eq!(answer(asking(&server, key, &wishes)).await.status, 201);
    }
    let told = asking(&server, "a", &wishes).send().await.unwrap();
    assert_eq!(
        assert_problem(told, ProblemKind::ResponseNotStored).await["location"],
        "/1"
    );
    assert!(
        answer(asking(&server, "b", &wishes)).await.is_replay,
        "the youngest is still there"
    );
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

each_store!(a_stream_whose_client_leaves_counts_as_cut_off);
async fn a_stream_whose_client_leaves_counts_as_cut_off(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(async || {
                let endless =
                    stream::repeat_with(|| Ok::<_, actix_web::Error>(Bytes::from(vec![0; 16])))
                        .then(async |piece| {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                            piece
                        });
                HttpResponse::Ok().streaming(endless.boxed_local())
            }))
    );
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\n\r\n")
        .await;
    wire.read_until("200 OK").await;
    assert_refused(
        post(&server, "/", "").header("idempotency-key", "a"),
        ProblemKind::InFlight,
    )
    .await;
    wire.reset();
    eventually("it is cut off", async || {
        let again = post(&server, "/", "")
            .header("idempotency-key", "a")
            .send()
            .await
            .unwrap();
        !again.headers().contains_key("retry-after")
    })
    .await;
    let again = post(&server, "/", "").header("idempotency-key", "a");
    assert_refused(again, ProblemKind::ResponseNotStored).await;
}

each_store!(a_stream_that_begins_after_its_client_has_left_counts_as_cut_off);
async fn a_stream_that_begins_after_its_client_has_left_counts_as_cut_off(backend: &Backend) {
    let keys = backend.keys();
    let gate = Gate::closed();
    let keys = keys.build().unwrap();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        serve!(
            App::new()
                .wrap(keys.clone())
                .app_data(web::Data::new(gate.clone()))
                .default_service(web::to(async |gate: web::Data<Gate>| {
                    gate.pass().await;
                    let pieces = stream::iter([Ok::<_, actix_web::Error>(Bytes::from("x"))]);
                    HttpResponse::Created().streaming(pieces)
                }))
        )
    };
    let mut wire = Wire::to(server.addr()).await;
    wire.send("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\n\r\n")
        .await;
    gate.wait_for_entered(1).await;
    wire.reset();
    // Until the server has seen it, which nothing tells from outside.
    tokio::time::sleep(Duration::from_millis(500)).await;
    gate.let_go(1);
    eventually("it has ended", async || gate.left() == 1).await;
    assert!(keys.drain(Duration::from_secs(10)).await);
    let again = post(&server, "/", "").header("idempotency-key", "a");
    let told = again.send().await.unwrap();
    let told = assert_problem(told, ProblemKind::ResponseNotStored).await;
    assert_eq!(told["original_status"], 201);
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn server_sent_events_begin_at_once_and_do_not_hang() {
    let gate = Gate::closed();
    let keys = memory_keys()
        .recording(Recording::new().max_body(20))
        .build()
        .unwrap();
    let server = {
        let gate = gate.clone();
        serve!({
            let gate = gate.clone();
            App::new()
                .wrap(keys.clone())
                .default_service(web::to(move || {
                    let gate = gate.clone();
                    let events = stream::unfold(gate, |gate| async move {
                        gate.pass().await;
                        Some((
                            Ok::<_, actix_web::Error>(Bytes::from("data: event\n\n")),
                            gate,
                        ))
                    });
                    async move {
                        HttpResponse::Ok()
                            .content_type("text/event-stream")
                            .streaming(events)
                    }
                }))
        })
    };
    let request = pay(&server, "a", "");
    let mut events = request.send().await.unwrap();
    assert_eq!(
        events.status(),
        200,
        "the head comes before the first event"
    );
    gate.let_go(1);
    assert_eq!(events.chunk().await.unwrap().unwrap(), "data: event\n\n");
    assert_refused(pay(&server, "a", ""), ProblemKind::InFlight).await;
    gate.let_go(1);
    assert_eq!(events.chunk().await.unwrap().unwrap(), "data: event\n\n");
    // Over the cap by now, which is known before the stream ends.
    eventually("it is a fact", async || {
        let again = pay(&server, "a", "").send().await.unwrap();
        !again.headers().contains_key("retry-after")
    })
    .await;
    drop(events);
    assert_eq!(
        client().get(server.url("/")).send().await.unwrap().status(),
        200
    );
}
