//! Bodies above the size up to which they are put in order at once.

use actix_web::{
    App, HttpResponse,
    test::{TestRequest, init_service},
    web,
};
use actix_web_idempotency::testing::{Reply, Runs, in_turn};

use crate::support::keys::memory_keys;

const KIB: usize = 1024;
/// Above the last but one, forms are put in order on another thread, and JSON is not put in order at all.
const SIZES: [usize; 5] = [KIB, 64 * KIB, 64 * KIB + 1, 70_000, 1024 * KIB];

/// A form of this size that begins with these pairs.
fn form(size: usize, pairs: [&str; 3]) -> String {
    let rest = size - "a=1&b=2&b=3&fill=".len();
    format!("{}&fill={}", pairs.join("&"), "x".repeat(rest))
}

/// The same of JSON.
fn json(size: usize, members: [&str; 2]) -> String {
    let rest = size - r#"{"a":1,"b":2,"fill":""}"#.len();
    format!(r#"{{{},"fill":"{}"}}"#, members.join(","), "x".repeat(rest))
}

/// Sends requests with one key, one after the other.
async fn replies(media_type: &str, bodies: &[String]) -> (Vec<Reply>, Runs) {
    let runs = Runs::new();
    let app = App::new()
        .app_data(web::Data::new(runs.clone()))
        .wrap(memory_keys().build().unwrap())
        .default_service(web::to(async |runs: web::Data<Runs>| {
            HttpResponse::Created().body(format!("run {}", runs.note()))
        }));
    let app = init_service(app).await;
    let mut replies = vec![];
    for body in bodies {
        let request = || {
            let request = TestRequest::post().insert_header(("idempotency-key", "a"));
            let request = request.insert_header(("content-type", media_type));
            request.set_payload(body.clone()).to_request()
        };
        replies.push(in_turn(&app, 1, request).await[0].clone());
    }
    (replies, runs)
}

#[actix_web::test]
async fn form_of_any_size_with_swapped_pairs_is_a_replay() {
    for size in SIZES {
        let bodies = [
            ["a=1", "b=2", "b=3"],
            ["b=2", "b=3", "a=1"],
            ["b=2", "a=%31", "b=3"],
        ];
        let bodies = bodies.map(|pairs| form(size, pairs));
        assert_eq!(bodies[0].len(), size);
        let (replies, runs) = replies("application/x-www-form-urlencoded", &bodies).await;
        runs.assert_count(1);
        assert!(!replies[0].is_replay());
        assert!(replies[1..].iter().all(Reply::is_replay), "{size}");
    }
}

#[actix_web::test]
async fn form_of_any_size_with_other_pairs_is_another_request() {
    for size in SIZES {
        let bodies = [
            ["a=1", "b=2", "b=3"],
            // The order within a name says something.
            ["a=1", "b=3", "b=2"],
            ["a=2", "b=2", "b=3"],
        ];
        let bodies = bodies.map(|pairs| form(size, pairs));
        let (replies, _runs) = replies("application/x-www-form-urlencoded", &bodies).await;
        for reply in &replies[1..] {
            assert_eq!(reply.problem().as_deref(), Some("key-reused"), "{size}");
        }
    }
}

#[actix_web::test]
async fn json_with_swapped_members_is_a_replay_up_to_64_kib() {
    for size in SIZES {
        let bodies = [[r#""a":1"#, r#""b":2"#], [r#""b":2"#, r#""a":1"#]];
        let bodies = bodies.map(|members| json(size, members));
        assert_eq!(bodies[0].len(), size);
        let (replies, _runs) = replies("application/json", &bodies).await;
        let is_replay = replies[1].is_replay();
        assert_eq!(is_replay, size <= 64 * KIB, "{size}");
    }
}
