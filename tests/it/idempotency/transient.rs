//! What is not recorded although its status would be: responses and errors that are marked, and what a rule
//! finds in a body.

use std::{fmt, time::Duration};

use actix_web::{
    App, Error, HttpResponse, ResponseError, error::ErrorConflict, http::StatusCode, middleware,
    web,
};
use actix_web_idempotency::{Claim, Idempotency, Recording, idempotency::Transient};
use bytes::Bytes;
use futures_util::stream;

use crate::{
    serve,
    support::{
        GENEROUS,
        keys::{Answer, answer, memory_keys},
        server::{Server, post},
    },
};

/// A lost race, which marks its own response.
#[derive(Debug)]
struct VersionConflict;

impl fmt::Display for VersionConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("somebody was faster")
    }
}

impl ResponseError for VersionConflict {
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::Conflict().body(self.to_string());
        Transient::mark(&mut response);
        response
    }
}

fn marked(mut response: HttpResponse) -> HttpResponse {
    Transient::mark(&mut response);
    response
}

fn server(keys: &Idempotency) -> Server {
    let keys = keys.clone();
    serve!({
        let own = async || Err::<HttpResponse, _>(VersionConflict);
        let wrapped = async || Err::<HttpResponse, Error>(Transient::error(ErrorConflict("40001")));
        let plain = async || Err::<HttpResponse, _>(ErrorConflict("exists already"));
        let response = async || marked(HttpResponse::Locked().body("held elsewhere"));
        let streamed = async || {
            let piece = stream::iter([Ok::<_, Error>(Bytes::from_static(b"piece"))]);
            marked(HttpResponse::PreconditionRequired().streaming(piece))
        };
        let final_all_the_same = async |claim: Option<Claim>| {
            // The second one of a shadow has none.
            if let Some(claim) = claim {
                claim.record_always();
            }
            marked(HttpResponse::Conflict().body("decided"))
        };
        // An inner layer may return the error itself.
        let in_a_layer = async || HttpResponse::Ok();
        App::new().service(
            web::scope("")
                .wrap(keys.clone())
                .route("/own", web::post().to(own))
                .route("/wrapped", web::post().to(wrapped))
                .route("/plain", web::post().to(plain))
                .route("/response", web::post().to(response))
                .route("/streamed", web::post().to(streamed))
                .route("/final", web::post().to(final_all_the_same))
                .service(
                    web::resource("/layer")
                        .wrap(middleware::from_fn(async |_req, _next| {
                            Err::<actix_web::dev::ServiceResponse, _>(VersionConflict.into())
                        }))
                        .route(web::post().to(in_a_layer)),
                ),
        )
    })
}

#[tokio::test]
async fn marked_response_and_error_free_the_key_and_are_sent_as_they_are() {
    for shadow in [false, true] {
        let keys = memory_keys();
        let keys = if shadow { keys.shadow(true) } else { keys };
        let keys = keys.build().unwrap();
        let server = server(&keys);
        for (path, status, body, is_recorded) in [
            ("/own", 409, "somebody was faster", false),
            ("/wrapped", 409, "40001", false),
            ("/layer", 409, "somebody was faster", false),
            ("/response", 423, "held elsewhere", false),
            ("/streamed", 428, "piece", false),
            ("/plain", 409, "exists already", true),
            ("/final", 409, "decided", true),
        ] {
            for is_second in [false, true] {
                let sent = post(&server, path, "x").header("idempotency-key", "a");
                let expected = Answer {
                    is_replay: is_second && is_recorded && !shadow,
                    ..Answer::executed(status, body)
                };
                assert_eq!(answer(sent).await, expected, "{path} {shadow}");
                if path == "/streamed" {
                    // Its key is free within moments of its last byte.
                    assert!(keys.drain(Duration::from_secs(60)).await);
                }
            }
        }
    }
}

/// As a GraphQL server answers: 200, errors or not.
#[tokio::test]
async fn rule_sees_status_headers_and_the_body_where_it_is_in_memory() {
    let recording = Recording::new().when(|response| {
        assert_eq!(response.headers().get("x-kind").unwrap(), "graphql");
        assert_eq!(response.status(), StatusCode::OK);
        response
            .body()
            .is_some_and(|body| !body.starts_with(br#"{"errors""#))
    });
    let keys = memory_keys().recording(recording).build().unwrap();
    let served = keys.clone();
    let server = serve!({
        let in_memory = async |body: Bytes| {
            HttpResponse::Ok()
                .append_header(("x-kind", "graphql"))
                .body(body)
        };
        let streamed = async |body: Bytes| {
            let piece = stream::iter([Ok::<_, Error>(body)]);
            HttpResponse::Ok()
                .append_header(("x-kind", "graphql"))
                .streaming(piece)
        };
        App::new()
            .wrap(served.clone())
            .route("/", web::post().to(in_memory))
            .route("/stream", web::post().to(streamed))
    });
    let data = r#"{"data":{}}"#;
    for (path, body, is_recorded) in [
        ("/", r#"{"errors":[]}"#, false),
        ("/", data, true),
        ("/", "", true), // it is known to be empty
        ("/stream", data, false),
    ] {
        for is_second in [false, true] {
            let key = format!("key-{}", body.len());
            let sent = post(&server, path, body).header("idempotency-key", key);
            let expected = Answer {
                is_replay: is_second && is_recorded,
                ..Answer::executed(200, body)
            };
            assert_eq!(answer(sent).await, expected, "{path} {body}");
            assert!(keys.drain(GENEROUS).await);
        }
    }
}
