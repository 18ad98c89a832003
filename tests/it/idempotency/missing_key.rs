//! A request without a key, whose handler takes one, is refused as a guard that requires keys refuses it.

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{Claim, Idempotency, IdempotencyKey, problem::Problems};

use crate::{
    serve,
    support::{
        keys::memory_keys,
        log,
        problems::{ProblemKind, assert_problem, assert_refused},
        server::{Server, client, post},
    },
};

/// Handlers that take what a request without a key lacks, on their own and in either order.
fn server(keys: Option<Idempotency>) -> Server {
    serve!({
        let app = || {
            web::scope("")
                .route(
                    "/key",
                    web::to(async |_: IdempotencyKey| HttpResponse::Ok()),
                )
                .route("/claim", web::to(async |_: Claim| HttpResponse::Ok()))
                .route(
                    "/both",
                    web::to(async |_: Claim, _: IdempotencyKey| HttpResponse::Ok()),
                )
                .route(
                    "/option",
                    web::to(async |_: Option<IdempotencyKey>| HttpResponse::Ok()),
                )
        };
        match keys.clone() {
            Some(keys) => App::new().service(app().wrap(keys)),
            None => App::new().service(app().wrap(memory_keys().skip(|_| true).build().unwrap())),
        }
    })
}

#[tokio::test]
async fn extractor_without_a_key_answers_as_required_does() {
    log::collect();
    for shadow in [false, true] {
        let keys = memory_keys();
        let keys = if shadow { keys.shadow(true) } else { keys };
        let server = server(Some(keys.build().unwrap()));
        for path in ["/key", "/claim", "/both"] {
            assert_refused(post(&server, path, "x"), ProblemKind::KeyMissing).await;
        }
        assert_eq!(
            post(&server, "/option", "x").send().await.unwrap().status(),
            200
        );
    }
    let required = server(Some(memory_keys().required(true).build().unwrap()));
    let refused = post(&required, "/key", "x").send().await.unwrap();
    let refused = assert_problem(refused, ProblemKind::KeyMissing).await;
    let server = server(Some(memory_keys().build().unwrap()));
    let extracted = post(&server, "/key", "x").send().await.unwrap();
    assert_eq!(
        assert_problem(extracted, ProblemKind::KeyMissing).await,
        refused
    );
    for path in ["/key", "/claim", "/both"] {
        assert_eq!(log::lines_with(&format!("route={path} ")).len(), 0);
    }
}

#[tokio::test]
async fn extractor_without_a_key_answers_in_the_form_of_the_guard() {
    let problems = Problems::new().render(|problem| {
        assert_eq!(problem.kind(), ProblemKind::KeyMissing);
        HttpResponse::UnprocessableEntity().body("send a key")
    });
    let keys = memory_keys().problems(problems).build().unwrap();
    let server = server(Some(keys));
    // GET is not guarded, and has passed the guard all the same.
    let get = client().get(server.url("/key")).send().await.unwrap();
    for answer in [post(&server, "/key", "x").send().await.unwrap(), get] {
        assert_eq!(answer.status(), 422);
        assert_eq!(answer.text().await.unwrap(), "send a key");
    }
}

#[tokio::test]
async fn extractor_without_any_guard_answers_with_the_default_problem() {
    let server =
        serve!(App::new().route("/", web::to(async |_: IdempotencyKey| HttpResponse::Ok())));
    assert_refused(post(&server, "/", "x"), ProblemKind::KeyMissing).await;
}

/// A claim that is missing for another reason is a mistake of the application.
#[tokio::test]
async fn claim_on_a_request_that_is_not_guarded_stays_an_error() {
    log::collect();
    let server = server(None);
    let with_key = post(&server, "/claim", "x").header("idempotency-key", "a");
    assert_eq!(with_key.send().await.unwrap().status(), 500);
    assert!(!log::lines_with("(/claim)").is_empty());
}
