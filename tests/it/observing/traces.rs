//! Spans: a handler's own have the request's as their parent, and events are told inside of it,
//! whether or not the client stays. And log lines, which are events of a subscriber where there is one.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::Method,
    test, web,
};
use actix_web_idempotency::{ApiLock, Idempotency, MemoryStore, event::Event};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tracing::{
    Instrument, Span,
    field::{Empty, display},
    info_span,
    subscriber::NoSubscriber,
};
use tracing_actix_web::{DefaultRootSpanBuilder, RootSpanBuilder, TracingLogger};

use crate::{
    serve,
    support::{
        eventually,
        gate::Gate,
        keys::{memory_keys, pay},
        locks::lock_on,
        log,
        server::Server,
        spans,
        wire::Wire,
    },
};

/// The recipe of the documentation.
fn on_the_span(event: Event<'_>) {
    let Event::Request(request) = event else {
        return;
    };
    let span = Span::current();
    span.record("idempotency.outcome", request.outcome.as_str());
    span.record("idempotency.problem", request.problem);
    span.record("idempotency.key", request.key.as_ref().map(display));
    span.record("idempotency.status", request.status);
}

/// Makes room for it.
struct WithOutcome;

impl RootSpanBuilder for WithOutcome {
    fn on_request_start(request: &ServiceRequest) -> Span {
        tracing_actix_web::root_span!(
            request,
            idempotency.outcome = Empty,
            idempotency.problem = Empty,
            idempotency.key = Empty,
            idempotency.status = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        DefaultRootSpanBuilder::on_request_end(span, outcome);
    }
}

/// Opens a span, stands in the gate, opens another, and answers, with a stream that stands in the gate
/// too where the path says so.
async fn work(req: HttpRequest, gate: web::Data<Gate>) -> HttpResponse {
    let path = req.uri().path().to_owned();
    drop(info_span!("before", of = format!("{path} before")));
    gate.pass().await;
    drop(info_span!("after", of = format!("{path} after")));
    if path.ends_with("stream") {
        let pieces = stream::iter(["one", "two"]).then(move |piece| {
            let gate = gate.clone();
            async move {
                if piece == "two" {
                    gate.pass().await;
                }
                Ok::<_, Error>(Bytes::from(piece))
            }
        });
        return HttpResponse::Created().streaming(Box::pin(pieces));
    }
    HttpResponse::Created().body("done")
}

/// Counts the calls that have ended, be it that they were dropped.
#[derive(Clone, Default)]
struct Ended(Arc<AtomicUsize>);

impl Ended {
    /// Counts this call when it has ended.
    async fn counts<T>(self, call: impl Future<Output = T>) -> T {
        struct OnDrop(Ended);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let _ended = OnDrop(self);
        call.await
    }

    async fn all(&self, calls: usize) {
        eventually("calls end", async || self.0.load(Ordering::SeqCst) >= calls).await;
    }
}

/// What becomes of the log lines of a request and its replay, on a thread with this subscriber.
async fn lines_under(subscriber: impl tracing::Subscriber + Send + Sync, key: &str) -> Vec<String> {
    let _listens = tracing::subscriber::set_default(subscriber);
    let keys = memory_keys().key_prefix(key).build().unwrap();
    let handler = web::post().to(async || HttpResponse::Created());
    let app = test::init_service(App::new().wrap(keys).route("/", handler)).await;
    for _ in 0..2 {
        let request = test::TestRequest::post().insert_header(("idempotency-key", key));
        assert_eq!(app.call(request.to_request()).await.unwrap().status(), 201);
    }
    log::lines_with(key)
}

/// Traced by tracing-actix-web.
fn with_logger(keys: &Idempotency, gate: &Gate, ended: &Ended) -> Server {
    let (keys, gate, ended) = (keys.clone(), gate.clone(), ended.clone());
    serve!({
        let ended = ended.clone();
        App::new()
            .app_data(web::Data::new(gate.clone()))
            .wrap(keys.clone())
            .wrap(TracingLogger::<WithOutcome>::new())
            .wrap_fn(move |req, next| ended.clone().counts(next.call(req)))
            .default_service(web::to(work))
    })
}

/// Traced by hand: what is called is called outside of the span, and runs inside.
fn by_hand(keys: &Idempotency, gate: &Gate, ended: &Ended) -> Server {
    let (keys, gate, ended) = (keys.clone(), gate.clone(), ended.clone());
    serve!({
        let ended = ended.clone();
        App::new()
            .app_data(web::Data::new(gate.clone()))
            .wrap(keys.clone())
            .wrap_fn(|req, next| {
                let span = info_span!(
                    "HTTP request",
                    http.target = req.path(),
                    idempotency.outcome = Empty,
                    idempotency.key = Empty,
                    idempotency.status = Empty,
                );
                next.call(req).instrument(span)
            })
            .wrap_fn(move |req, next| ended.clone().counts(next.call(req)))
            .default_service(web::to(work))
    })
}

fn lock_with_logger(lock: &ApiLock, gate: &Gate) -> Server {
    let (lock, gate) = (lock.clone(), gate.clone());
    serve!(
        App::new()
            .app_data(web::Data::new(gate.clone()))
            .wrap(lock.clone())
            .wrap(TracingLogger::<WithOutcome>::new())
            .default_service(web::to(work))
    )
}

/// The span of the request for a path.
fn request(path: &str) -> spans::Span {
    spans::Span::with("http.target", path).unwrap_or_else(|| panic!("no span of {path}"))
}

/// Asserts that the handler's own span is a child of the request's.
async fn is_child(path: &str, when: &str) {
    let name = format!("{path} {when}");
    eventually("the handler has opened it", async || {
        spans::Span::with("of", &name).is_some()
    })
    .await;
    let parent = spans::Span::with("of", &name).unwrap().parent();
    let parent = parent.unwrap_or_else(|| panic!("{name} has no parent"));
    assert_eq!(
        (parent.name, parent.number),
        ("HTTP request", request(path).number)
    );
}

/// Waits until the span of a request is closed, and tells what was recorded in it.
async fn outcome(path: &str) -> Option<String> {
    eventually("it is closed", async || request(path).is_closed).await;
    request(path)
        .field("idempotency.outcome")
        .map(str::to_owned)
}

/// Sends a request on a connection that can be reset.
async fn begin(server: &Server, path: &str) -> Wire {
    let mut wire = Wire::to(server.addr()).await;
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nidempotency-key: a\r\n");
    wire.send(head + "content-length: 3\r\n\r\ntea").await;
    wire
}

#[tokio::test]
async fn a_handlers_spans_have_their_parent_when_the_client_stays_and_when_it_leaves() {
    spans::collect();
    let servers: [fn(&Idempotency, &Gate, &Ended) -> Server; 2] = [with_logger, by_hand];
    for (name, server) in ["logger", "hand"].into_iter().zip(servers) {
        let keys = memory_keys().on_event(on_the_span).build().unwrap();
        let (gate, ended) = (Gate::closed(), Ended::default());
        let server = server(&keys, &gate, &ended);
        let (stays, leaves) = (format!("/{name}/stays"), format!("/{name}/leaves"));
        let mut wire = begin(&server, &stays).await;
        gate.wait_for_entered(1).await;
        gate.let_go(1);
        wire.read_until("done").await;

        let wire = begin(&server, &leaves).await;
        gate.wait_for_entered(2).await;
        wire.reset();
        ended.all(2).await;
        assert!(!request(&leaves).is_closed, "its handler still runs");
        gate.let_go(1);
        for path in [&stays, &leaves] {
            is_child(path, "before").await;
            is_child(path, "after").await;
            assert_eq!(outcome(path).await.as_deref(), Some("executed"), "{path}");
            assert_eq!(request(path).field("idempotency.status"), Some("201"));
        }
    }
}

#[actix_web::test]
async fn line_is_an_event_with_its_fields_where_a_subscriber_listens_and_else_a_line_of_the_log() {
    log::collect();
    // Each line tells how it has come.
    let in_log = lines_under(NoSubscriber::default(), "lines-in-the-log").await;
    let [replayed] = &in_log[..] else {
        panic!("{in_log:?}")
    };
    assert!(replayed.starts_with("DEBUG lines-in-the-log"), "{replayed}");
    assert!(
        replayed.contains(" is replayed key=lines-in-the-log"),
        "{replayed}"
    );
    assert!(
        replayed.ends_with(" outcome=replayed shadow=false"),
        "{replayed}"
    );

    let traced = lines_under(spans::subscriber("traced "), "lines-in-the-trace").await;
    let [line] = &traced[..] else {
        panic!("{traced:?}")
    };
    let key = |line: &str| {
        line.split("key=")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let as_in_log = format!("traced {}", replayed.replace(&key(replayed), &key(line)));
    assert_eq!(*line, as_in_log, "and it is not in the log as well");
}

#[tokio::test]
async fn whatever_becomes_of_a_request_is_told_inside_of_its_span() {
    spans::collect();
    let keys = memory_keys().max_body(10).on_event(on_the_span);
    let keys = keys.build().unwrap();
    let server = with_logger(&keys, &Gate::open(), &Ended::default());
    for (body, expected, problem) in [
        ("tea", "executed", None),
        ("tea", "replayed", None),
        ("coffee", "mismatch", Some("key-reused")),
        ("more than ten bytes", "invalid", Some("payload-too-large")),
    ] {
        let agent = format!("told-{expected}");
        let request = pay(&server, "a", body).header("user-agent", &agent);
        let status = request.send().await.unwrap().status();
        let span = spans::Span::with("http.user_agent", &agent).unwrap();
        assert_eq!(span.field("idempotency.outcome"), Some(expected));
        assert_eq!(span.field("idempotency.problem"), problem);
        assert_eq!(span.field("idempotency.status"), Some(status.as_str()));
        let key = keys.stored_key(None, &Method::POST, "/", &"a".parse().unwrap());
        let key = (expected != "invalid").then(|| key.to_string());
        assert_eq!(span.field("idempotency.key"), key.as_deref());
    }
}

#[tokio::test]
async fn a_stream_is_told_of_inside_of_the_span_too() {
    spans::collect();
    for leaves in [false, true] {
        let gate = Gate::closed();
        let keys = memory_keys().on_event(on_the_span).build().unwrap();
        let path = format!("/{leaves}/stream");
        let server = with_logger(&keys, &gate, &Ended::default());
        let mut wire = begin(&server, &path).await;
        gate.let_go(1);
        wire.read_until("one").await;
        gate.wait_for_entered(2).await;
        if leaves {
            wire.reset();
        } else {
            gate.let_go(1);
            wire.read_until("two").await;
        }
        assert_eq!(outcome(&path).await.as_deref(), Some("executed"));
    }
}

#[tokio::test]
async fn a_lock_that_is_cut_off_is_told_of_inside_of_the_span_too() {
    spans::collect();
    let gate = Gate::closed();
    let lock = lock_on(MemoryStore::new()).on_event(on_the_span);
    let server = lock_with_logger(&lock.build().unwrap(), &gate);
    let wire = begin(&server, "/cut-off").await;
    gate.wait_for_entered(1).await;
    is_child("/cut-off", "before").await;
    wire.reset();
    assert_eq!(outcome("/cut-off").await.as_deref(), Some("executed"));
    assert!(spans::Span::with("of", "/cut-off after").is_none());
}
