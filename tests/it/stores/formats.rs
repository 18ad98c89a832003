//! What is stored, and where, as releases have to agree on it while a deployment rolls. The numbers
//! were computed elsewhere, from the contract. Whoever changes one breaks repetitions across two
//! releases, and has something to write under "Two releases at once" in the guide.

use actix_web::{
    App, HttpResponse,
    http::Method,
    test::{TestRequest, call_service, init_service},
    web,
};
use actix_web_idempotency::{
    ApiLock, Idempotency, MemoryStore, Scope,
    dedup::Deduplicator,
    store::{Cursor, Inspect},
};
use serde_json::json;

use crate::support::redis::Redis;

const KEY: &str = "idempotency:fbe35df802bc6cb67cfd11b6f1da1793824fd847777b0032b505a41c913f1aa9";
const FINGERPRINT: &str = "e99d59a58f15ff2988ac20bb93083eeb69d9eab36558b0bb139cb81a51f9fab3";

#[test]
fn keys_are_where_they_were() {
    let key = |scope, name| {
        let keys = Idempotency::builder(MemoryStore::new(), scope)
            .build()
            .unwrap();
        let key = keys.stored_key(name, &Method::POST, "/orders", &"a-1".parse().unwrap());
        key.to_string()
    };
    assert_eq!(key(Scope::header("x-user"), Some("ann")), KEY);
    assert_eq!(
        key(Scope::global(), None),
        "idempotency:9e528f7b2152da15304db8422fe55f17e4bd81e70d19e7a731d562935c0fe04f"
    );
    let deduplicator = Deduplicator::builder(MemoryStore::new()).build().unwrap();
    assert_eq!(
        deduplicator.stored_key("invoice-7").to_string(),
        "once:61bf036ed8c6a6aa27f3bdeb850ad16cfde57ac79ee6943356601ebb5cd2ea89"
    );
}

#[actix_web::test]
async fn locks_are_where_they_were() {
    let store = MemoryStore::new();
    let lock = ApiLock::new(
        store.clone(),
        |req| json!({ "user": "ann", "path": req.path() }),
    );
    let looked = web::Data::new(store);
    let handler = async |store: web::Data<MemoryStore>| {
        let all = 10.try_into().unwrap();
        let page = store.list("", &Cursor::start(), all).await.unwrap();
        page.entries[0].0.to_string()
    };
    let app = App::new().app_data(looked).wrap(lock);
    let app = init_service(app.default_service(web::to(handler))).await;
    let request = TestRequest::post().uri("/orders").to_request();
    let answer = call_service(&app, request).await;
    assert_eq!(
        actix_web::test::read_body(answer).await,
        "ApiLock:9cc8c5bc5ab8473dc73f5fa9a84e47d90f96c5aef89f7023acc56056616412f9"
    );
}

#[actix_web::test]
async fn a_record_in_redis_has_its_first_format() {
    let redis = Redis::start();
    let keys = Idempotency::builder(redis.store(), Scope::header("x-user"));
    let app = App::new().wrap(keys.build().unwrap());
    let handler = async || {
        HttpResponse::Created()
            .insert_header(("x-a", "1"))
            .body("tea")
    };
    let app = init_service(app.default_service(web::to(handler))).await;
    let request = TestRequest::post()
        .uri("/orders?a=1")
        .insert_header(("x-user", "ann"))
        .insert_header(("idempotency-key", "a-1"))
        .insert_header(("content-type", "application/json; charset=utf-8"))
        .set_payload(r#"{ "b": "x", "a": [1.0] }"#);
    assert_eq!(call_service(&app, request.to_request()).await.status(), 201);

    let value = redis.command(&["GET", KEY]);
    let value: Vec<u8> =
        actix_web_idempotency::store::redis::redis::from_redis_value(value).unwrap();
    let (head, rest) = value.split_at(34);
    assert_eq!(head[..2], *b"\x01A");
    assert!(head[2..].iter().all(u8::is_ascii_hexdigit), "{head:?}");
    let (fingerprint, rest) = rest.split_at(33);
    let digits = fingerprint[1..].iter().map(|byte| format!("{byte:02x}"));
    assert_eq!(
        (fingerprint[0], digits.collect()),
        (1, FINGERPRINT.to_owned())
    );
    assert_eq!(
        rest,
        b"\x00\xc9\x00\x00\x00\x0a\x00\x03x-a\x00\x00\x00\x011tea"
    );
}
