//! Neither clients nor handlers can pass something off as a replay, or as an answer of ours.

use actix_web::{App, HttpRequest, HttpResponse, http::StatusCode, web};

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        gate::Gate,
        keys::{Answer, REPLAYED, answer, memory_keys, numbered, pay},
    },
};

each_store!(a_client_cannot_claim_to_have_a_replay_or_refuse_one);
async fn a_client_cannot_claim_to_have_a_replay_or_refuse_one(backend: &Backend) {
    let gate = Gate::open();
    let server = numbered(&backend.keys().build().unwrap(), &gate);
    let forged = || {
        let request = pay(&server, "a", "tea").header(REPLAYED, "true");
        let request = request.header("cache-control", "no-store, no-cache");
        request.header("pragma", "no-cache").header("if-match", "*")
    };
    let run_1 = "run 1".to_owned();
    assert_eq!(answer(forged()).await, Answer::executed(201, run_1.clone()));
    assert_eq!(answer(forged()).await, Answer::replayed(201, run_1.clone()));
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(201, run_1)
    );
    assert_eq!(gate.entered(), 1);
}

each_store!(a_handler_that_calls_its_answer_a_replay_is_not_believed_the_second_time);
async fn a_handler_that_calls_its_answer_a_replay_is_not_believed_the_second_time(
    backend: &Backend,
) {
    let keys = backend.keys().build().unwrap();
    let handler = async || {
        let mut answer = HttpResponse::Created();
        answer.append_header((REPLAYED, "forged"));
        answer.append_header((REPLAYED, "twice")).finish()
    };
    let server = serve!(
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(handler))
    );
    pay(&server, "a", "tea").send().await.unwrap();
    let again = pay(&server, "a", "tea").send().await.unwrap();
    let told: Vec<_> = again.headers().get_all(REPLAYED).iter().collect();
    assert_eq!(told, ["true"]);
}

each_store!(an_answer_that_looks_like_ours_is_recorded_like_any_other);
/// The refusal of a lock inside is not recorded, by a mark that no header can make.
async fn an_answer_that_looks_like_ours_is_recorded_like_any_other(backend: &Backend) {
    const BUSY: &str = r#"{"type":"https://docs.rs/x#busy","title":"x","status":409,"detail":"x"}"#;
    let (keys, gate) = (backend.keys().build().unwrap(), Gate::open());
    let runs = gate.clone();
    let server = serve!({
        let gate = gate.clone();
        App::new()
            .wrap(keys.clone())
            .default_service(web::to(move |_req: HttpRequest| {
                let gate = gate.clone();
                async move {
                    gate.pass().await;
                    let mut answer = HttpResponse::build(StatusCode::CONFLICT);
                    answer.insert_header(("content-type", "application/problem+json"));
                    answer.insert_header(("own-answer", "true")).body(BUSY)
                }
            }))
    });
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::executed(409, BUSY)
    );
    assert_eq!(
        answer(pay(&server, "a", "tea")).await,
        Answer::replayed(409, BUSY)
    );
    assert_eq!(runs.entered(), 1);
}

/// On one connection, where answers could be mixed up.
#[tokio::test]
async fn requests_of_one_connection_each_get_their_own_answer() {
    let server = numbered(&memory_keys().build().unwrap(), &Gate::open());
    let mut wire = crate::support::wire::Wire::to(server.addr()).await;
    let request = |key: &str| {
        format!("POST / HTTP/1.1\r\nhost: x\r\nidempotency-key: {key}\r\ncontent-length: 0\r\n\r\n")
    };
    wire.send(["a", "b", "a", "b", "c"].map(request).concat())
        .await;
    let told = wire.read_until("run 3").await;
    let bodies: Vec<_> = told
        .match_indices("run ")
        .map(|(at, _)| &told[at..at + 5])
        .collect();
    assert_eq!(bodies, ["run 1", "run 2", "run 1", "run 2", "run 3"]);
    assert_eq!(told.matches("idempotent-replayed: true").count(), 2);
}
