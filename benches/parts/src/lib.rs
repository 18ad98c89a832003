#![allow(
    clippy::expect_used,
    reason = "a measurement ends where anything is wrong"
)]
//! Services in this process, to be called without a socket: what remains is what the middleware
//! costs.

use std::{borrow::Cow, future::Future, pin::Pin};

use actix_http::Request;
use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::{StatusCode, header::CONTENT_TYPE},
    test::{TestRequest, init_service, read_body},
    web::{Bytes, post},
};
use actix_web_idempotency::{ApiLock, Fingerprint, Idempotency, RequestView, Scope, store::Store};
use serde_json::json;

/// 200 bytes, as orders are.
pub const JSON: &str = concat!(
    r#"{"customer":"c-20391","items":[{"sku":"A-1001","count":2},{"sku":"B-2002","count":1}],"#,
    r#""address":{"street":"12 High Street","city":"Springfield","zip":"12345"},"#,
    r#""note":"ring twice, please....","#,
    r#""express":true}"#
);

/// Reads its body and answers with a few bytes, as a handler does that works elsewhere.
pub async fn handler(body: Bytes) -> HttpResponse {
    HttpResponse::Created()
        .insert_header(("location", "/orders/7"))
        .content_type("application/json")
        .body(format!("{{\"read\":{}}}", body.len()))
}

/// What stands around the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing.
    Bare,
    /// `ApiLock` over the digest of the body's bytes.
    LockBytes,
    /// `ApiLock` over a JSON value with the body in it.
    LockJson,
    /// `Idempotency`, keys that nobody has used, a body that compares by its bytes.
    FirstBytes,
    /// The same with one that compares by value.
    FirstJson,
    /// `Idempotency`, one key, a body that compares by its bytes.
    ReplayBytes,
    /// The same with one that compares by value.
    ReplayJson,
}

impl Path {
    /// All of them, the bare handler first.
    pub const ALL: [Self; 7] = [
        Self::Bare,
        Self::LockBytes,
        Self::LockJson,
        Self::FirstBytes,
        Self::FirstJson,
        Self::ReplayBytes,
        Self::ReplayJson,
    ];

    /// The path of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.name() == name)
    }

    /// As it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::LockBytes => "lock-bytes",
            Self::LockJson => "lock-json",
            Self::FirstBytes => "first-bytes",
            Self::FirstJson => "first-json",
            Self::ReplayBytes => "replay-bytes",
            Self::ReplayJson => "replay-json",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::LockJson | Self::FirstJson | Self::ReplayJson => "application/json",
            Self::Bare | Self::LockBytes | Self::FirstBytes | Self::ReplayBytes => "text/plain",
        }
    }

    /// A request, of which no other has the number.
    pub fn request(self, number: usize) -> TestRequest {
        let key = match self {
            Self::ReplayBytes | Self::ReplayJson => {
                "one-and-the-same-key-0000000000000000".to_owned()
            }
            _ => format!("key-{number:032}"),
        };
        TestRequest::post()
            .uri("/orders")
            .insert_header((CONTENT_TYPE, self.content_type()))
            .insert_header(("authorization", "Bearer 0123456789"))
            .insert_header(("idempotency-key", key))
            .set_payload(JSON)
    }
}

type Answered = Pin<Box<dyn Future<Output = Bytes>>>;

/// A service behind one path.
#[allow(missing_debug_implementations, reason = "there is nothing to show")]
pub struct Subject(Box<dyn Fn(TestRequest) -> Answered>);

impl Subject {
    /// Each user orders what nobody else does at the time.
    pub async fn new(path: Path, store: impl Store) -> Self {
        let app = App::new();
        let route = post().to(handler);
        match path {
            Path::Bare => Self::around(init_service(app.route("/orders", route)).await),
            Path::LockBytes => {
                let lock = ApiLock::new(store, |req| (key(req), Fingerprint::digest(req.bytes())));
                Self::around(init_service(app.wrap(lock).route("/orders", route)).await)
            }
            Path::LockJson => {
                let lock = ApiLock::new(
                    store,
                    |req| json!({ "user": key(req), "path": req.path(), "body": req.body() }),
                );
                Self::around(init_service(app.wrap(lock).route("/orders", route)).await)
            }
            Path::FirstBytes | Path::FirstJson | Path::ReplayBytes | Path::ReplayJson => {
                let built = Idempotency::builder(store, Scope::header("authorization")).build();
                let idempotency = built.expect("the defaults are right");
                Self::around(init_service(app.wrap(idempotency).route("/orders", route)).await)
            }
        }
    }

    fn around<S, B>(service: S) -> Self
    where
        S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: MessageBody,
    {
        Self(Box::new(move |request| {
            let answer = service.call(request.to_request());
            Box::pin(async move {
                let answer = answer.await.expect("no middleware of ours fails");
                assert_eq!(answer.status(), StatusCode::CREATED);
                read_body(answer).await
            })
        }))
    }

    /// Sends a request, and returns the body of its answer.
    pub async fn call(&self, request: TestRequest) -> Bytes {
        self.0(request).await
    }
}

fn key(req: &RequestView<'_>) -> Option<String> {
    req.header("idempotency-key").map(Cow::into_owned)
}
