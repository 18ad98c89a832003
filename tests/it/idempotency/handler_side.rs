//! What a handler is told of its claim, and can say about its answer.

use std::time::Duration;

use actix_web::{
    App, HttpMessage, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};
use actix_web_idempotency::{
    Claim, Idempotency, IdempotencyKey, MemoryStore, Recording, Scope, StoreFailure,
    idempotency::FencingError,
    store::{StoreTime, redis::redis},
    testing::{Call, Fault, FaultyStore},
};

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        gate::Gate,
        keys::{Answer, answer, keys_on, memory_keys, pay},
        log,
        redis::Redis,
        server::{Server, client, post},
    },
};

fn with_handler<F, A>(keys: &Idempotency, handler: F) -> Server
where
    F: actix_web::Handler<A> + Clone + Send,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let keys = keys.clone();
    serve!(
        2,
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(handler.clone()))
    )
}

#[tokio::test]
async fn key_and_claim_are_there_and_optional() {
    let keys = memory_keys().build().unwrap();
    let tell = async |key: Option<IdempotencyKey>, claim: Option<Claim>| {
        let key = key.map(|key| key.as_str().to_owned());
        format!("{key:?} {:?}", claim.map(|claim| claim.attempt()))
    };
    let server = with_handler(&keys, tell);
    assert_eq!(
        answer(pay(&server, "\"a-1\"", "x")).await.body,
        r#"Some("a-1") Some(1)"#
    );
    assert_eq!(answer(post(&server, "/", "x")).await.body, "None None");

    let server = with_handler(&keys, async |key: IdempotencyKey, _claim: Claim| {
        key.as_str().to_owned()
    });
    assert_eq!(answer(pay(&server, "a-2", "x")).await.body, "a-2");
    assert_eq!(answer(post(&server, "/", "x")).await.status, 400);
}

#[tokio::test]
async fn optional_claim_that_is_missing_is_no_error() {
    log::collect();
    let keys = memory_keys().build().unwrap();
    let server = serve!({
        let needs = async |_claim: Claim| "claimed";
        let takes = async |claim: Option<Claim>| format!("{}", claim.is_some());
        App::new()
            .wrap(keys.clone())
            .route("/needs/{this_very_claim}", web::get().to(needs))
            .route("/takes/{this_very_claim}", web::post().to(takes))
    });
    let taken = answer(post(&server, "/takes/1", "x")).await;
    assert_eq!(taken, Answer::executed(200, "false"));
    assert!(log::lines_with("/takes/{this_very_claim}").is_empty());
    let not_guarded = client().get(server.url("/needs/1"));
    assert_eq!(answer(not_guarded).await.status, 500);
    assert_eq!(log::lines_with("/needs/{this_very_claim}").len(), 1);
}

#[tokio::test]
async fn a_claim_that_nobody_made_is_an_error_of_the_application() {
    log::collect();
    let keys = memory_keys().build().unwrap();
    let server = with_handler(&keys, async |_claim: Claim| "claimed");
    let not_guarded = client().get(server.url("/"));
    assert_eq!(answer(not_guarded).await, Answer::executed(500, ""));
    assert!(!log::lines_with("take Option<Claim>").is_empty());

    let mut redis = Redis::start();
    let keys = keys_on(redis.store())
        .on_store_failure(StoreFailure::FailOpen)
        .build()
        .unwrap();
    redis.kill();
    let tell = async |key: IdempotencyKey, claim: Option<Claim>| {
        format!("{} {}", key.as_str(), claim.is_some())
    };
    let server = with_handler(&keys, tell);
    assert_eq!(
        answer(pay(&server, "a", "x")).await.body,
        "a false",
        "unguarded, but with its key"
    );
}

#[tokio::test]
async fn middlewares_inside_can_use_them_at_every_level() {
    let keys = memory_keys().build().unwrap();
    let server = serve!({
        let see = |level: &'static str| {
            from_fn(
                move |mut req: ServiceRequest, next: Next<BoxBody>| async move {
                    let claim = req.extract::<Claim>().await?;
                    let key = req.extract::<IdempotencyKey>().await?;
                    let mut answer: ServiceResponse<BoxBody> = next.call(req).await?;
                    let seen = format!("{} {}", key.as_str(), claim.attempt());
                    answer
                        .headers_mut()
                        .insert(level.parse().unwrap(), seen.parse().unwrap());
                    if level == "x-resource" {
                        claim.mark_transient();
                    }
                    Ok(answer)
                },
            )
        };
        App::new()
            .service(
                web::scope("/s").wrap(see("x-scope")).service(
                    web::resource("/r")
                        .wrap(see("x-resource"))
                        .to(async |claim: Claim| format!("attempt {}", claim.attempt())),
                ),
            )
            .wrap(see("x-app"))
            .wrap(keys.clone())
    });
    for _again in 0..2 {
        let request = post(&server, "/s/r", "x").header("idempotency-key", "a");
        let seen = request.send().await.unwrap();
        for level in ["x-app", "x-scope", "x-resource"] {
            assert_eq!(seen.headers()[level], "a 1");
        }
        assert!(
            !seen.headers().contains_key("idempotent-replayed"),
            "transient"
        );
        assert_eq!(seen.text().await.unwrap(), "attempt 1");
    }
}

each_store!(fences_grow_from_owner_to_owner);
async fn fences_grow_from_owner_to_owner(backend: &Backend) {
    let keys = backend.keys().build().unwrap();
    let fence = async |claim: Claim| -> Result<HttpResponse, FencingError> {
        let (one, two) = (claim.fencing_token().await?, claim.fencing_token().await?);
        assert!(one <= two);
        claim.mark_transient();
        Ok(HttpResponse::Ok().body(one.0.to_string()))
    };
    let server = with_handler(&keys, fence);
    let mut last = StoreTime(0);
    for _owner in 0..3 {
        let answered = answer(pay(&server, "a", "x")).await;
        assert_eq!(answered.status, 200);
        let fence = StoreTime(answered.body.parse().unwrap());
        assert!(fence > last);
        last = fence;
    }
}

#[tokio::test]
async fn a_fence_that_cannot_be_had_is_a_503_that_frees_the_key() {
    for fault in [Fault::Unavailable, Fault::TimedOut { carried_out: true }] {
        let store = FaultyStore::new(MemoryStore::new());
        store.next(Call::Renew, fault);
        // Whatever the application records.
        let keys = Idempotency::builder(store, Scope::global())
            .recording(Recording::new().when(|_| true))
            .build()
            .unwrap();
        let fence = async |claim: Claim| -> Result<String, FencingError> {
            claim.fencing_token().await?;
            Ok("done".to_owned())
        };
        let server = with_handler(&keys, fence);
        assert_eq!(
            answer(pay(&server, "a", "x")).await,
            Answer::executed(503, "")
        );
        assert_eq!(
            answer(pay(&server, "a", "x")).await,
            Answer::executed(200, "done")
        );
    }
    let redis_server = Redis::start();
    let keys = keys_on(redis_server.store()).build().unwrap();
    let port = redis_server.port();
    let fence = move |claim: Claim| async move {
        let client = redis::Client::open(("127.0.0.1", port)).unwrap();
        let mut connection = client.get_connection().unwrap();
        redis::cmd("FLUSHALL").exec(&mut connection).unwrap();
        let err = claim.fencing_token().await.unwrap_err();
        assert!(err.is_lost() && claim.is_lost());
        Err::<String, FencingError>(err)
    };
    let server = with_handler(&keys, fence);
    assert_eq!(
        answer(pay(&server, "a", "x")).await,
        Answer::executed(503, "")
    );
}

#[tokio::test]
async fn a_claim_outlives_its_handler_and_knows_that_it_is_over() {
    let keys = memory_keys()
        .lease(Duration::from_millis(100))
        .build()
        .unwrap();
    let gate = Gate::closed();
    let (told, heard) = std::sync::mpsc::channel();
    let server = {
        let gate = gate.clone();
        with_handler(&keys, move |claim: Claim| {
            let (gate, told) = (gate.clone(), told.clone());
            async move {
                // Work that the handler hands to another task.
                actix_web::rt::spawn(async move {
                    gate.pass().await;
                    told.send(claim.is_lost()).unwrap();
                });
                "accepted"
            }
        })
    };
    assert_eq!(answer(pay(&server, "a", "x")).await.body, "accepted");
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.let_go(1);
    eventually("it is told", async || gate.left() == 1).await;
    assert!(heard.recv_timeout(Duration::from_secs(5)).unwrap());
}

#[tokio::test]
async fn the_extensions_hold_what_outer_middlewares_left() {
    #[derive(Clone)]
    struct User(&'static str);
    let scope = Scope::from_fn(|req| req.extensions().get::<User>().map(|user| user.0));
    let keys = Idempotency::builder(MemoryStore::new(), scope)
        .build()
        .unwrap();
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .wrap(from_fn(|req: ServiceRequest, next: Next<_>| {
                let user = match req.headers().contains_key("x-bob") {
                    true => User("bob"),
                    false => User("ann"),
                };
                req.extensions_mut().insert(user);
                next.call(req)
            }))
            .default_service(web::to(async |user: web::ReqData<User>| user.0))
    );
    assert_eq!(answer(pay(&server, "a", "x")).await.body, "ann");
    assert_eq!(
        answer(pay(&server, "a", "x").header("x-bob", "1"))
            .await
            .body,
        "bob"
    );
    assert_eq!(
        answer(pay(&server, "a", "x")).await,
        Answer::replayed(200, "ann")
    );
}
