use std::{panic::AssertUnwindSafe, time::Duration};

use actix_http::Request as HttpRequest;
use actix_web::{
    Error,
    body::{self, MessageBody},
    dev::{Service, ServiceResponse},
    test::TestRequest,
};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::{log::Log, plan::Request};

/// What a client has heard, and when.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) asked: Instant,
    pub(super) at: Instant,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Answer {
        status: u16,
        is_replay: bool,
        body: String,
    },
    /// The name of a problem, and whether it asks for another try.
    Problem(u16, String, bool),
    /// An answer that broke off.
    Broken,
    /// An error or a panic, which the connection or an outer layer makes a 500 of.
    Failed,
    /// The client did not wait for it.
    Left,
}

impl Heard {
    /// What kind of thing it is.
    pub(super) fn kind(&self) -> &str {
        match &self.what {
            What::Answer { is_replay, .. } if *is_replay => "replay",
            What::Answer { .. } => "answer",
            What::Problem(_, name, _) => name,
            What::Broken => "broken",
            What::Failed => "failed",
            What::Left => "left",
        }
    }

    pub(super) fn took(&self) -> Duration {
        self.at - self.asked
    }
}

/// Sends a request when its time has come, and reads the answer, or leaves.
pub(super) async fn send<S, B>(service: &S, number: usize, request: &Request, log: &Log) -> Heard
where
    S: Service<HttpRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    sleep(request.at).await;
    log.say(&format!("request {number} is sent: {request:?}"));
    let asked = Instant::now();
    let answer = AssertUnwindSafe(exchange(service, number, request)).catch_unwind();
    let patience = request.leaves.unwrap_or(Duration::from_secs(10_000));
    let what = match timeout(patience, answer).await {
        Ok(Ok(what)) => what,
        Ok(Err(_panic)) => What::Failed,
        Err(_elapsed) => What::Left,
    };
    log.say(&format!("request {number} hears {what:?}"));
    Heard {
        asked,
        at: Instant::now(),
        what,
    }
}

async fn exchange<S, B>(service: &S, number: usize, request: &Request) -> What
where
    S: Service<HttpRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let sent = TestRequest::post()
        .uri("/orders")
        .insert_header(("x-tenant", request.name.tenant))
        .insert_header(("idempotency-key", request.name.key))
        .insert_header(("x-request", number.to_string()))
        .set_payload(request.payload)
        .to_request();
    let Ok(answer) = service.call(sent).await else {
        return What::Failed;
    };
    let status = answer.status().as_u16();
    let has = |name| answer.headers().contains_key(name);
    let (is_replay, is_retry) = (has("idempotent-replayed"), has("retry-after"));
    let is_problem = (answer.headers().get("content-type"))
        .is_some_and(|of_type| of_type == "application/problem+json");
    let Ok(body) = body::to_bytes(answer.into_body()).await else {
        return What::Broken;
    };
    let body = String::from_utf8(body.to_vec()).unwrap();
    if !is_problem {
        return What::Answer {
            status,
            is_replay,
            body,
        };
    }
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    let (_, name) = problem["type"].as_str().unwrap().split_once('#').unwrap();
    What::Problem(status, name.to_owned(), is_retry)
}
