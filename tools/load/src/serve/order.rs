use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    http::header::{ContentType, HeaderName, HeaderValue},
    rt::time::sleep,
    web,
};

static RUNS: AtomicU64 = AtomicU64::new(0);

/// The handler of all rows. It reads its body and counts its runs, which shows whether it has run as
/// often as it should have.
pub(super) async fn order(body: web::Bytes) -> HttpResponse {
    created(receipt(&body))
}

/// One that takes its time, so that duplicates have something to wait for.
pub(super) async fn slow_order(millis: web::Path<u64>, body: web::Bytes) -> HttpResponse {
    sleep(Duration::from_millis(millis.into_inner())).await;
    created(receipt(&body))
}

/// Of the same length for all requests, so that wrong answers show in the number of bytes.
pub(super) fn receipt(body: &[u8]) -> String {
    let run = RUNS.fetch_add(1, Ordering::Relaxed) + 1;
    format!(r#"{{"run":"{run:08}","received":{}}}"#, body.len())
}

/// A replay of it, as the middleware sends one.
pub(super) fn replayed(receipt: impl Into<web::Bytes>) -> HttpResponse {
    let mut response = created(receipt);
    let replayed = HeaderName::from_static("idempotent-replayed");
    (response.headers_mut()).insert(replayed, HeaderValue::from_static("true"));
    response
}

pub(super) fn created(receipt: impl Into<web::Bytes>) -> HttpResponse {
    HttpResponse::Created()
        .content_type(ContentType::json())
        .body(receipt.into())
}
