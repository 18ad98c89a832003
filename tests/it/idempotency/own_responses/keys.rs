//! Inner layers with keys.

use actix_web_idempotency::{
    ExpiredLease, Fingerprinting, Idempotency, KeySource, RequestView, Scope,
    idempotency::IdempotencyBuilder, problem::Problems, testing::BackgroundHere,
};

use super::*;

/// The inner layer has keys of its own, in another header.
fn keys_in(says: Says, scope: Scope) -> IdempotencyBuilder {
    Idempotency::builder(says, scope).key(KeySource::header("x-inner"))
}

fn keys(says: Says) -> IdempotencyBuilder {
    keys_in(says, Scope::global())
}

fn keyed() -> TestRequest {
    request().insert_header(("x-inner", "inner"))
}

fn invalid() -> TestRequest {
    request().insert_header(("x-inner", ""))
}

fn panics() -> TestRequest {
    keyed().uri("/panics")
}

fn nobody(_: &RequestView<'_>) -> Option<String> {
    None
}

fn fails(_: &RequestView<'_>) -> Result<String, Error> {
    teapot()
}

type Request = fn() -> TestRequest;

#[actix_web::test]
async fn response_of_the_handler_inside_of_another_layer_is_recorded() {
    let inner = keys(Says::Claimed).build().unwrap();
    let (reply, records) = nested(inner, &keyed, nothing).await;
    assert_eq!((reply.status().as_u16(), records), (201, 1));
}

#[actix_web::test]
async fn problems_of_an_inner_layer_are_not_recorded() {
    tokio::time::pause();
    let _here = BackgroundHere::here();
    let all = keys(Says::Claimed);
    let nobody = keys_in(Says::Claimed, Scope::from_fn(nobody));
    let (required, small) = (all.clone().required(true), all.clone().max_body(10));
    let cases = [
        ("in-flight", keys(Says::InFlight), keyed as Request, 409),
        ("outcome-unknown", keys(Says::Lapsed), keyed, 409),
        ("key-reused", keys(Says::OtherWork), keyed, 422),
        ("response-not-stored", keys(Says::Tombstone), keyed, 409),
        ("unreadable", keys(Says::Unreadable), keyed, 409),
        ("store-unavailable", keys(Says::Away), keyed, 503),
        ("key-missing", required, request, 400),
        ("key-invalid", all.clone(), invalid, 400),
        ("scope-missing", nobody, keyed, 401),
        ("payload-too-large", small, keyed, 413),
        ("body-timeout", all, keyed, 408),
    ];
    for (what, inner, request, status) in cases {
        let between = match what {
            "body-timeout" => stalls_the_body as Between,
            _ => nothing,
        };
        let by_default = inner.clone().build().unwrap();
        is_not_recorded(what, by_default, request, between, status).await;
        let rendered = inner.problems(Problems::new().render(render));
        let rendered = rendered.build().unwrap();
        is_not_recorded(what, rendered, request, between, RENDERED).await;
    }
}

#[actix_web::test]
async fn what_an_inner_layer_answers_to_a_failure_is_not_recorded() {
    let all = || keys(Says::Claimed);
    let in_scope = |scope| keys_in(Says::Claimed, scope);
    let made_by = |fingerprinting| all().fingerprinting(fingerprinting);
    let later = Scope::from_async_fn(async |_: &RequestView<'_>| teapot::<String>());
    for (what, inner, status) in [
        (
            "error of the key",
            all().key(KeySource::from_fn(fails)),
            418,
        ),
        ("error of the scope", in_scope(Scope::from_fn(fails)), 418),
        ("late error of the scope", in_scope(later), 418),
        (
            "error of the fingerprint",
            made_by(Fingerprinting::from_fn(fails)),
            418,
        ),
        (
            "fingerprint that is not JSON",
            made_by(Fingerprinting::from_fn(|_| Ok(no_json()))),
            500,
        ),
    ] {
        is_not_recorded(what, inner.build().unwrap(), keyed, nothing, status).await;
    }
    let half = all().build().unwrap();
    is_not_recorded("half a body", half, keyed, breaks_the_body_off, 400).await;
}

#[actix_web::test]
async fn replay_of_an_inner_layer_is_not_recorded() {
    let inner = keys(Says::Response).build().unwrap();
    is_not_recorded("replay", inner, keyed, nothing, 202).await;
}

#[actix_web::test]
async fn panic_inside_of_an_inner_layer_is_not_recorded() {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let inner = keys(Says::Claimed)
            .on_expired_lease(policy)
            .build()
            .unwrap();
        let what = format!("panic, {policy:?}");
        is_not_recorded(&what, inner, panics, nothing, 500).await;
    }
}
