//! Whatever an inner layer returns is what the client receives: status, headers and body, first and
//! replayed, guarded and in a shadow.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_cors::Cors;
use actix_governor::{Governor, GovernorConfigBuilder};
use actix_web::{
    App, Error, HttpResponse, ResponseError,
    body::{BoxBody, SizedStream},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{StatusCode, header},
    middleware::{DefaultHeaders, Logger, Next, from_fn},
    web,
};
use actix_web_idempotency::{ApiLock, Idempotency, MemoryStore};
use bytes::Bytes;
use futures_util::stream;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;

use crate::{
    serve,
    support::{
        GENEROUS,
        keys::{REPLAYED, memory_keys},
        server::{Server, post},
    },
};

/// What a client sees of a response.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    body: Result<Bytes, ()>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Without what is never recorded, and what says that it is a replay.
    fn recorded(mut self) -> Self {
        self.headers.retain(|(name, _)| {
            ![
                REPLAYED,
                "content-length",
                "transfer-encoding",
                "set-cookie",
                "x-ratelimit-after",
            ]
            .contains(&name.as_str())
        });
        self
    }
}

async fn see(server: &Server, path: &str, key: &str) -> Seen {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let request = client.post(server.url(path)).body("x");
    let answer = request.header("idempotency-key", key).send().await.unwrap();
    let headers = answer
        .headers()
        .iter()
        // A layer that has not read the body of the request closes the connection; a guard has read it.
        .filter(|(name, _)| !["date", "connection"].contains(&name.as_str()));
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    Seen {
        status: answer.status().as_u16(),
        headers,
        body: answer.bytes().await.map_err(drop),
    }
}

/// What an inner layer answers.
#[derive(Clone, Debug)]
struct Spec {
    returns: Returns,
    status: StatusCode,
    headers: Vec<(&'static str, &'static str)>,
    body: BodySpec,
}

#[derive(Clone, Copy, Debug)]
enum Returns {
    Ok,
    /// An error that gives its response away the first time it is rendered.
    ErrOfResponse,
    /// An error that is rendered anew each time, and whose `status_code` says something else.
    ErrOfItsOwn,
    /// An error with a response mapper, as inner middlewares add them.
    ErrMapped,
}

#[derive(Clone, Debug)]
enum BodySpec {
    None,
    InMemory(usize),
    Streaming(Vec<usize>),
    Sized(Vec<usize>),
}

impl Spec {
    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in &self.headers {
            response.append_header(*header);
        }
        let pieces = |sizes: &[usize]| {
            let pieces: Vec<_> = sizes
                .iter()
                .map(|size| Ok::<_, Error>(bytes(*size)))
                .collect();
            stream::iter(pieces)
        };
        match &self.body {
            BodySpec::None => response.finish(),
            BodySpec::InMemory(size) => response.body(bytes(*size)),
            BodySpec::Streaming(sizes) => response.streaming(pieces(sizes)),
            BodySpec::Sized(sizes) => {
                let size = sizes.iter().sum::<usize>() as u64;
                response.body(SizedStream::new(size, pieces(sizes)))
            }
        }
    }

    fn returned(&self) -> Result<HttpResponse, Error> {
        match self.returns {
            Returns::Ok => Ok(self.response()),
            Returns::ErrOfResponse => {
                Err(InternalError::from_response("inner", self.response()).into())
            }
            Returns::ErrOfItsOwn => Err(Own(self.clone()).into()),
            Returns::ErrMapped => {
                let mut err = Error::from(Own(self.clone()));
                err.add_response_mapper(|mut response| {
                    let name = header::HeaderName::from_static("x-mapped");
                    let value = header::HeaderValue::from_static("yes");
                    response.headers_mut().append(name, value);
                    response
                });
                Err(err)
            }
        }
    }
}

fn bytes(size: usize) -> Bytes {
    Bytes::from(vec![b'b'; size])
}

#[derive(Debug)]
struct Own(Spec);

impl fmt::Display for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of its own")
    }
}

impl ResponseError for Own {
    fn error_response(&self) -> HttpResponse {
        self.0.response()
    }
}

fn specs() -> impl Strategy<Value = Spec> {
    let returns = select(vec![
        Returns::Ok,
        Returns::ErrOfResponse,
        Returns::ErrOfItsOwn,
        Returns::ErrMapped,
    ]);
    let status = select(vec![
        200_u16, 201, 302, 400, 401, 404, 409, 418, 429, 500, 503,
    ]);
    let header = select(vec![
        ("content-type", "text/plain"),
        ("location", "/login"),
        ("retry-after", "7"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x-ratelimit-after", "7"),
        ("cache-control", "no-store"),
        ("x-twice", "1"),
        ("x-twice", "2"),
    ]);
    let sizes = || vec(1..2000_usize, 0..4);
    let body = prop_oneof![
        Just(BodySpec::None),
        (0..3000_usize).prop_map(BodySpec::InMemory),
        sizes().prop_map(BodySpec::Streaming),
        sizes().prop_map(BodySpec::Sized),
    ];
    let no_body = option::weighted(0.1, Just(204_u16));
    (returns, status, vec(header, 0..4), body, no_body).prop_map(
        |(returns, status, headers, body, no_body)| Spec {
            returns,
            status: StatusCode::from_u16(no_body.unwrap_or(status)).unwrap(),
            headers,
            body: if no_body.is_some() {
                BodySpec::None
            } else {
                body
            },
        },
    )
}

/// A layer that answers as it is told, by the last part of the path.
async fn answers(
    req: ServiceRequest,
    specs: &Mutex<Vec<Spec>>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let nth: usize = req.path().rsplit('/').next().unwrap().parse().unwrap();
    let spec = specs.lock().unwrap()[nth].clone();
    let response = spec.returned()?;
    Ok(req.into_response(response))
}

macro_rules! answering {
    ($path:literal, $specs:expr $(, $guard:expr)*) => {{
        let specs = Arc::clone(&$specs);
        web::scope($path)
            .wrap(from_fn(move |req: ServiceRequest, _next: Next<BoxBody>| {
                let specs = Arc::clone(&specs);
                async move { answers(req, &specs).await }
            }))
            $(.wrap($guard.clone()))*
    }};
}

#[test]
fn guarded_client_sees_the_response_that_a_bare_one_sees() {
    let specs_to_try = {
        let mut runner = TestRunner::new(Config::default());
        let tree = |runner: &mut TestRunner| specs().new_tree(runner).unwrap().current();
        (0..200).map(|_| tree(&mut runner)).collect::<Vec<_>>()
    };
    let specs = Arc::new(Mutex::new(specs_to_try.clone()));
    let keys = memory_keys().build().unwrap();
    let shadow = memory_keys().shadow(true).build().unwrap();
    let lock = |shadow: bool| {
        let lock = ApiLock::builder(MemoryStore::new(), |req| req.path().to_owned());
        let lock = if shadow { lock.shadow(true) } else { lock };
        lock.build().unwrap()
    };
    let (lock, lock_shadow) = (lock(false), lock(true));
    let outer = memory_keys().key_prefix("outer:").build().unwrap();
    let (served, drained) = (Arc::clone(&specs), keys.clone());
    let server = serve!({
        App::new()
            .service(answering!("/bare", served))
            .service(answering!("/keys", served, keys))
            .service(answering!("/shadow", served, shadow))
            .service(answering!("/lock", served, lock))
            .service(answering!("/lock-shadow", served, lock_shadow))
            .service(answering!("/nested", served, keys, lock, outer))
    });
    Runtime::new().unwrap().block_on(async {
        for (nth, spec) in specs_to_try.iter().enumerate() {
            let key = nth.to_string();
            let bare = see(&server, &format!("/bare/{nth}"), &key).await;
            for guard in ["keys", "shadow", "lock", "lock-shadow", "nested"] {
                let guarded = see(&server, &format!("/{guard}/{nth}"), &key).await;
                assert_eq!(guarded, bare, "{guard}: {spec:?}");
            }
            // A stream is recorded when it has been sent.
            assert!(drained.drain(GENEROUS).await);
            let again = see(&server, &format!("/keys/{nth}"), &key).await;
            if again.header(REPLAYED).is_some() {
                assert_eq!(again.recorded(), bare.recorded(), "replay: {spec:?}");
            } else {
                assert_eq!(again, bare, "second run: {spec:?}");
            }
        }
    });
}

fn limited(keys: &Idempotency) -> Server {
    let limits = GovernorConfigBuilder::default()
        .seconds_per_request(600)
        .burst_size(1)
        .finish()
        .unwrap();
    let keys = keys.clone();
    serve!(
        App::new().service(
            web::scope("")
                .wrap(Governor::new(&limits))
                .wrap(keys.clone())
                .default_service(web::to(async || "done"))
        )
    )
}

#[tokio::test]
async fn refusal_of_actix_governor_reaches_the_client_whole_and_frees_the_key() {
    for keys in [memory_keys().build(), memory_keys().shadow(true).build()] {
        let server = limited(&keys.unwrap());
        assert_eq!(see(&server, "/", "first").await.status, 200);
        for _ in 0..2 {
            let refused = see(&server, "/", "second").await;
            assert_eq!(refused.status, 429);
            assert!(refused.header("retry-after").is_some(), "{refused:?}");
            assert_eq!(refused.header(REPLAYED), None);
            let body = refused.body.unwrap();
            assert!(body.starts_with(b"Too many requests"), "{body:?}");
        }
    }
}

#[tokio::test]
async fn redirect_of_a_login_guard_reaches_the_client_first_and_replayed() {
    let keys = memory_keys().build().unwrap();
    let shadow = memory_keys().shadow(true).build().unwrap();
    let server = serve!({
        let login = || {
            from_fn(async |_req: ServiceRequest, _next: Next<BoxBody>| {
                let mut to_login = HttpResponse::Found();
                to_login.insert_header((header::LOCATION, "/login"));
                let to_login = to_login.body("log in first");
                Err::<ServiceResponse<BoxBody>, _>(Error::from(InternalError::from_response(
                    "not logged in",
                    to_login,
                )))
            })
        };
        App::new()
            // They do not see an `Err`; nothing of the response may be lost on its way past them.
            .wrap(DefaultHeaders::new().add(("x-outer", "1")))
            .wrap(Logger::default())
            .service(web::scope("/keys").wrap(login()).wrap(keys.clone()))
            .service(web::scope("/shadow").wrap(login()).wrap(shadow.clone()))
    });
    for path in ["/keys", "/shadow"] {
        for nth in 0..2 {
            let seen = see(&server, path, "k").await;
            assert_eq!(seen.status, 302, "{path}");
            assert_eq!(seen.header("location"), Some("/login"), "{path}");
            let body = seen.body.as_ref().unwrap();
            assert_eq!(&body[..], b"log in first", "{path}");
            let is_replay = nth == 1 && path == "/keys";
            assert_eq!(seen.header(REPLAYED).is_some(), is_replay, "{path}");
        }
    }
}

#[tokio::test]
async fn headers_of_actix_cors_inside_reach_the_client_with_an_error() {
    let keys = memory_keys().build().unwrap();
    let server = serve!({
        let cors = Cors::default()
            .allowed_origin("https://shop.example")
            .send_wildcard();
        App::new().service(
            web::scope("")
                .wrap(cors)
                .wrap(keys.clone())
                .default_service(web::to(async || {
                    let refused = HttpResponse::Conflict().body("sold out");
                    Err::<HttpResponse, _>(InternalError::from_response("sold out", refused))
                })),
        )
    });
    for is_replay in [false, true] {
        let request = post(&server, "/", "x").header("idempotency-key", "k");
        let seen = request
            .header("origin", "https://shop.example")
            .send()
            .await
            .unwrap();
        assert_eq!(seen.status(), 409);
        let origin = seen.headers().get("access-control-allow-origin");
        assert_eq!(origin.unwrap(), "https://shop.example");
        assert_eq!(seen.headers().contains_key(REPLAYED), is_replay);
        assert_eq!(seen.text().await.unwrap(), "sold out");
    }
    let foreign = post(&server, "/", "x").header("idempotency-key", "other");
    let foreign = foreign
        .header("origin", "https://else.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.headers().get("access-control-allow-origin"), None);
}

#[tokio::test]
async fn outer_layers_see_the_words_and_the_status_of_the_error() {
    let keys = memory_keys().build().unwrap();
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let hears = Arc::clone(&heard);
    let server = serve!({
        let hears = Arc::clone(&hears);
        App::new().service(
            web::scope("")
                .wrap(from_fn(
                    async |_req: ServiceRequest, _next: Next<BoxBody>| {
                        let response = HttpResponse::PaymentRequired().body("no money");
                        let err = InternalError::from_response("the account is empty", response);
                        Err::<ServiceResponse<BoxBody>, _>(Error::from(err))
                    },
                ))
                .wrap(keys.clone())
                .wrap(from_fn(move |req: ServiceRequest, next: Next<_>| {
                    let hears = Arc::clone(&hears);
                    async move {
                        let answer = next.call(req).await;
                        if let Err(err) = &answer {
                            let status = err.as_response_error().status_code().as_u16();
                            let rendered = err.error_response().status().as_u16();
                            hears
                                .lock()
                                .unwrap()
                                .push(format!("{err} {status} {rendered}"));
                        }
                        answer
                    }
                })),
        )
    });
    let seen = see(&server, "/", "k").await;
    assert_eq!((seen.status, seen.body), (402, Ok(Bytes::from("no money"))));
    assert_eq!(*heard.lock().unwrap(), ["the account is empty 402 402"]);
}
