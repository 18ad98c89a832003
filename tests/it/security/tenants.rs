//! Tenants neither see each other's answers nor block each other's keys.

use std::collections::HashSet;

use actix_web::http::Method;
use actix_web_idempotency::{ApiLock, IdempotencyKey, MemoryStore, Scope, store::Store};
use reqwest::{RequestBuilder, header::HeaderValue};
use serde_json::json;

use super::{by_tenant, with_scope};
use crate::support::{
    backend::{Backend, each_store},
    gate::{Gate, gated, is_refused},
    keys::{Answer, answer, memory_keys, numbered},
    locks::memory_lock,
    problems::{ProblemKind, assert_refused},
    server::{Server, post},
    wire::Wire,
};

fn pay(server: &Server, tenant: &str, path: &str, key: &str) -> RequestBuilder {
    let request = post(server, path, "tea").header("x-tenant", tenant.to_owned());
    request.header("idempotency-key", key.to_owned())
}

/// Joined by whatever separator, or by none, many of these would be one.
#[test]
fn no_two_operations_have_one_stored_key() {
    const PARTS: [&str; 14] = [
        "a", "b", "ab", "ba", "a|b", "b|a", "|", "a:b", ":", "a/b", "/", "g", "n", "a,b",
    ];
    let keys = with_scope(MemoryStore::new(), Scope::header("x")).build();
    let keys = keys.unwrap();
    let mut seen = HashSet::new();
    let mut all = 0;
    for scope in [None].into_iter().chain(PARTS.map(Some)) {
        for method in [
            Method::POST,
            Method::PUT,
            Method::from_bytes(b"POSTa").unwrap(),
        ] {
            for path in ["/", "/a", "//a", "/b", "/a/b", "/ab", "/a|b", "a/", ""] {
                for key in PARTS {
                    let key: IdempotencyKey = key.parse().unwrap();
                    seen.insert(keys.stored_key(scope, &method, path, &key).to_string());
                    all += 1;
                }
            }
        }
    }
    // Nobody's scope is not everybody's.
    let global = memory_keys().build().unwrap();
    let key = "a".parse().unwrap();
    seen.insert(
        global
            .stored_key(None, &Method::POST, "/", &key)
            .to_string(),
    );
    assert_eq!(seen.len(), all + 1);
}

each_store!(parts_that_look_alike_when_joined_do_not_meet);
async fn parts_that_look_alike_when_joined_do_not_meet(backend: &Backend) {
    let server = numbered(&by_tenant(backend).build().unwrap(), &Gate::open());
    let alike = [
        ("a|b", "/", "c"),
        ("a", "/", "b|c"),
        ("ab", "/", "c"),
        ("a", "/", "bc"),
        ("a", "//x", "k"),
        ("a/", "/x", "k"),
        ("a", "/x/", "k"),
        ("a", "/x", "/k"),
        ("aPOST", "/x", "/k"),
    ];
    for (n, (tenant, path, key)) in alike.into_iter().enumerate() {
        let told = answer(pay(&server, tenant, path, key)).await;
        let own = Answer::executed(201, format!("run {}", n + 1));
        assert_eq!(told, own, "{tenant} {path} {key}");
    }
}

each_store!(whatever_one_does_with_a_key_others_are_undisturbed);
async fn whatever_one_does_with_a_key_others_are_undisturbed(backend: &Backend) {
    let gate = Gate::closed();
    let server = numbered(&by_tenant(backend).build().unwrap(), &gate);
    let send = |tenant: &str| pay(&server, tenant, "/", "stolen");
    let ann = tokio::spawn(answer(send("ann")));
    gate.wait_for_entered(1).await;
    // Neither told that it is in flight, nor made to wait.
    let eve = tokio::spawn(answer(send("eve")));
    gate.wait_for_entered(2).await;
    gate.let_go(2);
    let (ann, eve) = (ann.await.unwrap(), eve.await.unwrap());
    assert_eq!((ann.is_replay, eve.is_replay), (false, false));
    assert_ne!(ann.body, eve.body);

    assert_eq!(answer(send("ann")).await, Answer::replayed(201, ann.body));
    assert_eq!(answer(send("eve")).await, Answer::replayed(201, eve.body));
    assert_refused(send("eve").body("gin"), ProblemKind::KeyReused).await;
    gate.let_go(1);
    let carl = answer(send("carl").body("gin")).await;
    assert_eq!(carl, Answer::executed(201, "run 3"));
}

fn lock_by_caller(store: impl Store) -> ApiLock {
    let payload = |req: &actix_web_idempotency::RequestView<'_>| json!({ "user": req.header("x-user"), "body": req.body() });
    ApiLock::new(store, payload)
}

each_store!(a_lock_that_names_its_caller_blocks_nobody_else);
async fn a_lock_that_names_its_caller_blocks_nobody_else(backend: &Backend) {
    let forged = [
        (("ann", "tea"), ("eve", "tea")),
        (("ann", "tea"), ("ann\",\"body\":\"text:tea", "tea")),
        (("ann", "tea"), ("ann", "text:tea")),
        (("ann", "\"tea\""), ("ann\"", "tea")),
        (("ann, eve", "tea"), ("ann", ", eve tea")),
    ];
    let lock = lock_by_caller(backend.store());
    for ((user, body), (other, text)) in forged {
        let gate = Gate::closed();
        let server = gated(lock.clone(), &gate);
        let first = post(&server, "/", body).header("x-user", user);
        let second = post(&server, "/", text).header("x-user", other);
        assert!(!is_refused(&gate, first, second).await, "{other} {text}");
    }
    let gate = Gate::closed();
    let server = gated(lock, &gate);
    let twice = || post(&server, "/", "tea").header("x-user", "ann");
    assert!(is_refused(&gate, twice(), twice()).await);
}

#[tokio::test]
async fn scopes_of_odd_bytes_stay_apart() {
    let odd: [&[u8]; 7] = [
        "é".as_bytes(),
        b"\xe9",
        b"\xc3",
        "Ã©".as_bytes(),
        b"\xff\xfe",
        "\u{fffd}\u{fffd}".as_bytes(),
        b"%C3%A9",
    ];
    let by_text = || Scope::from_fn(|req| req.header("x-tenant").map(|name| name.into_owned()));
    for scope in [Scope::header("x-tenant"), by_text()] {
        let keys = with_scope(MemoryStore::new(), scope).build().unwrap();
        let server = numbered(&keys, &Gate::open());
        for (n, tenant) in odd.into_iter().enumerate() {
            let tenant = HeaderValue::from_bytes(tenant).unwrap();
            let request = post(&server, "/", "tea").header("idempotency-key", "a");
            let told = answer(request.header("x-tenant", &tenant)).await;
            assert_eq!(
                told,
                Answer::executed(201, format!("run {}", n + 1)),
                "{tenant:?}"
            );
        }
    }
}

each_store!(no_way_of_writing_a_path_leads_to_the_answer_of_another);
async fn no_way_of_writing_a_path_leads_to_the_answer_of_another(backend: &Backend) {
    let server = numbered(&by_tenant(backend).build().unwrap(), &Gate::open());
    let long = format!("/{}", "x".repeat(20_000));
    let paths = [
        "/pay",
        "/p%61y",
        "/pay/",
        "//pay",
        "/PAY",
        "/pay;x=1",
        "/pay%2f",
        "/pay%00",
        "/pay%0d%0a",
        &long,
    ];
    for (n, path) in paths.into_iter().enumerate() {
        let told = answer(pay(&server, "ann", path, "a")).await;
        assert_eq!(
            told,
            Answer::executed(201, format!("run {}", n + 1)),
            "{path}"
        );
    }
    let query = format!("/pay?{}", "q".repeat(20_000));
    for other in ["/pay?x=1", &query] {
        assert_refused(pay(&server, "ann", other, "a"), ProblemKind::KeyReused).await;
    }
    if let Some(redis) = backend.redis_server() {
        let long = "idempotency:".len() + 64;
        assert!(redis.keys().iter().all(|key| key.len() == long));
    }
}

#[tokio::test]
async fn a_header_that_overrides_the_method_switches_nothing_off() {
    let gate = Gate::open();
    let server = numbered(&memory_keys().build().unwrap(), &gate);
    let pay = || post(&server, "/", "tea").header("idempotency-key", "a");
    assert_eq!(answer(pay()).await.status, 201);
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        for method in ["OPTIONS", "GET", "DELETE"] {
            assert!(
                answer(pay().header(name, method)).await.is_replay,
                "{name}: {method}"
            );
        }
    }
    assert_eq!(gate.entered(), 1);
}

#[tokio::test]
async fn a_post_that_pretends_to_upgrade_is_guarded() {
    let (in_keys, in_lock) = (Gate::open(), Gate::closed());
    let keys = memory_keys().required(true).build().unwrap();
    let (keys, lock) = (numbered(&keys, &in_keys), gated(memory_lock(), &in_lock));
    let pretend = async |server: &Server, protocol: &str, key: &str| {
        let mut wire = Wire::to(server.addr()).await;
        let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\ncontent-length: 3\r\n";
        wire.send(format!("{head}upgrade: {protocol}\r\n{key}\r\ntea"))
            .await;
        wire
    };
    for is_replay in [false, true] {
        let mut wire = pretend(&keys, "other/1", "idempotency-key: a\r\n").await;
        let told = wire.read_until("run 1").await;
        assert_eq!(told.contains("idempotent-replayed"), is_replay, "{told}");
    }
    let mut without = pretend(&keys, "other/1", "").await;
    without.read_until("key-missing").await;
    // To actix the body of this one has no end, so it ends nowhere.
    let mut endless = pretend(&keys, "websocket", "idempotency-key: a\r\n").await;
    endless.half_close().await;
    endless.read_until("HTTP/1.1 400").await;
    assert_eq!(in_keys.entered(), 1);

    let mut first = pretend(&lock, "other/1", "").await;
    in_lock.wait_for_entered(1).await;
    let mut second = pretend(&lock, "other/1", "").await;
    second.read_until("busy").await;
    in_lock.let_go(1);
    first.read_until("done").await;
}

/// What a scope is for. Where all share one, a stolen key and the same request are enough.
#[tokio::test]
async fn who_shares_a_scope_shares_its_answers() {
    let gate = Gate::open();
    let server = numbered(&memory_keys().build().unwrap(), &gate);
    assert!(!answer(pay(&server, "ann", "/", "a")).await.is_replay);
    assert!(answer(pay(&server, "eve", "/", "a")).await.is_replay);
    let guess = pay(&server, "eve", "/", "a").body("a guess");
    assert_refused(guess, ProblemKind::KeyReused).await;
}
