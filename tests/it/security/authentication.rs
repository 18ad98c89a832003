//! A replay runs neither handler nor extractors nor what is wrapped inside. Who authenticates there
//! is asked only the first time.

use actix_web::{
    App, Error, FromRequest, HttpMessage, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::ErrorUnauthorized,
    http::header::HeaderMap,
    middleware::{Next, from_fn},
    web,
};
use actix_web_idempotency::{ApiLock, MemoryStore, Scope, idempotency::IdempotencyBuilder};
use futures_util::future::{Ready, ready};
use reqwest::RequestBuilder;

use super::with_scope;
use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        gate::Gate,
        keys::{Answer, answer, memory_keys, pay},
        server::{Server, post, status},
    },
};

#[derive(Clone)]
struct User(String);

/// Knows the tokens `ann-token` and `eve-token`.
fn verify(headers: &HeaderMap) -> Result<User, Error> {
    let token = headers
        .get("authorization")
        .and_then(|token| token.to_str().ok());
    match token {
        Some("ann-token") => Ok(User("ann".to_owned())),
        Some("eve-token") => Ok(User("eve".to_owned())),
        _ => Err(ErrorUnauthorized("who are you?")),
    }
}

async fn authenticate(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let user = verify(req.headers())?;
    req.extensions_mut().insert(user);
    next.call(req).await
}

impl FromRequest for User {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(verify(req.headers()))
    }
}

async fn secret(req: HttpRequest) -> Result<HttpResponse, Error> {
    let User(name) = verify(req.headers())?;
    Ok(HttpResponse::Created().body(format!("a secret of {name}")))
}

async fn secret_by_extractor(User(name): User) -> HttpResponse {
    HttpResponse::Created().body(format!("a secret of {name}"))
}

fn by_user(backend: &Backend) -> IdempotencyBuilder {
    let scope = Scope::from_fn(|req| req.extensions().get::<User>().map(|user| user.0.clone()));
    with_scope(backend.store(), scope)
}

fn with_token(server: &Server, token: &'static str) -> RequestBuilder {
    pay(server, "stolen", "tea").header("authorization", token)
}

each_store!(authenticated_outside_nobody_is_replayed_without_credentials);
async fn authenticated_outside_nobody_is_replayed_without_credentials(backend: &Backend) {
    // Even where all share one scope, a stranger is turned away before.
    let shared = backend.keys().key_prefix("shared:");
    for (keys, is_own) in [(by_user(backend), true), (shared, false)] {
        let keys = keys.build().unwrap();
        let server = serve!(
            App::new()
                .wrap(keys.clone())
                .wrap(from_fn(authenticate))
                .default_service(web::to(secret))
        );
        let first = answer(with_token(&server, "ann-token")).await;
        assert_eq!(first, Answer::executed(201, "a secret of ann"));
        for request in [
            pay(&server, "stolen", "tea"),
            with_token(&server, "revoked"),
        ] {
            let told = answer(request).await;
            assert_eq!(told, Answer::executed(401, "who are you?"));
        }
        assert_eq!(
            answer(with_token(&server, "ann-token")).await,
            Answer::replayed(201, first.body.clone())
        );
        let eve = answer(with_token(&server, "eve-token")).await;
        match is_own {
            true => assert_eq!(eve, Answer::executed(201, "a secret of eve")),
            // This is what a scope is for.
            false => assert_eq!(eve, Answer::replayed(201, first.body)),
        }
    }
}

/// The trap that the guide warns of: this is not how it should be used.
#[tokio::test]
async fn authenticated_inside_a_stolen_key_is_enough() {
    let build = || memory_keys().build().unwrap();
    let (in_handler, in_extractor, in_wrapped) = (build(), build(), build());
    let servers = [
        serve!(
            App::new()
                .wrap(in_handler.clone())
                .default_service(web::to(secret))
        ),
        serve!(
            App::new()
                .wrap(in_extractor.clone())
                .default_service(web::to(secret_by_extractor))
        ),
        serve!(
            App::new()
                .wrap(from_fn(authenticate))
                .wrap(in_wrapped.clone())
                .default_service(web::to(secret))
        ),
    ];
    for server in servers {
        assert_eq!(
            status(pay(&server, "stolen", "tea")).await,
            401,
            "asked the first time"
        );
        assert_eq!(answer(with_token(&server, "ann-token")).await.status, 201);
        let told = answer(pay(&server, "stolen", "tea")).await;
        assert_eq!(
            told,
            Answer::replayed(201, "a secret of ann"),
            "and never again"
        );
    }
}

each_store!(a_scope_that_verifies_is_asked_for_every_replay);
/// The way out that the guide names: the scope is asked for every request, before the store.
async fn a_scope_that_verifies_is_asked_for_every_replay(backend: &Backend) {
    let verified = Scope::from_fn(|req| Ok::<_, Error>(verify(req.headers())?.0));
    let keys = with_scope(backend.store(), verified).build().unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(secret_by_extractor))
    );
    let first = answer(with_token(&server, "ann-token")).await;
    assert_eq!(first, Answer::executed(201, "a secret of ann"));
    for request in [
        pay(&server, "stolen", "tea"),
        with_token(&server, "revoked"),
    ] {
        assert_eq!(answer(request).await, Answer::executed(401, "who are you?"));
    }
    let eve = answer(with_token(&server, "eve-token")).await;
    assert_eq!(eve, Answer::executed(201, "a secret of eve"));
    assert_eq!(
        answer(with_token(&server, "ann-token")).await,
        Answer::replayed(201, first.body)
    );
}

/// A name that anybody can write down is not verified, wherever it is put.
#[tokio::test]
async fn a_scope_that_clients_choose_protects_nobody() {
    let keys = with_scope(MemoryStore::new(), Scope::header("x-tenant")).build();
    let keys = keys.unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(secret_by_extractor))
    );
    let first = with_token(&server, "ann-token").header("x-tenant", "ann");
    assert_eq!(answer(first).await.status, 201);
    let forged = pay(&server, "stolen", "tea").header("x-tenant", "ann");
    assert_eq!(
        answer(forged).await,
        Answer::replayed(201, "a secret of ann")
    );
}

#[tokio::test]
async fn authenticated_outside_a_stranger_locks_nothing() {
    let gate = Gate::closed();
    let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
    let server = {
        let gate = gate.clone();
        serve!(
            App::new()
                .wrap(lock.clone())
                .wrap(from_fn(authenticate))
                .default_service(web::to(gate.handler()))
        )
    };
    let send = |token: &'static str| post(&server, "/", "tea").header("authorization", token);
    assert_eq!(status(send("nobody")).await, 401);
    let ann = tokio::spawn(status(send("ann-token")));
    gate.wait_for_entered(1).await;
    assert_eq!(
        status(send("nobody")).await,
        401,
        "and learns nothing of who runs"
    );
    assert_eq!(status(send("ann-token")).await, 409);
    gate.let_go(1);
    assert_eq!(ann.await.unwrap(), 201);
}
