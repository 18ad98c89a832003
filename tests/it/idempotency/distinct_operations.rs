//! Scope, method, path and key are told apart, wherever one ends and the next begins.

use actix_web::{
    App, HttpResponse,
    http::Method,
    test::{TestRequest, init_service},
    web,
};
use actix_web_idempotency::{
    Idempotency, MemoryStore, Scope,
    testing::{Reply, Runs, in_turn},
};

/// Scope, method, path and key of a request. Without a scope it is anonymous.
type Operation = [&'static str; 4];

/// What the requests are answered, one after the other, and how often a handler ran.
async fn replies(operations: &[Operation]) -> (Vec<Reply>, Runs) {
    let runs = Runs::new();
    let scope = Scope::header("x-scope").or_anonymous();
    let methods = ["POST", "OST"].map(|method| method.parse::<Method>().unwrap());
    let keys = Idempotency::builder(MemoryStore::new(), scope).methods(methods);
    let app = App::new()
        .app_data(web::Data::new(runs.clone()))
        .wrap(keys.build().unwrap())
        .default_service(web::to(async |runs: web::Data<Runs>| {
            HttpResponse::Created().body(format!("run {}", runs.note()))
        }));
    let app = init_service(app).await;
    let mut replies = vec![];
    for [scope, method, path, key] in operations {
        let request = || {
            let request = TestRequest::with_uri(path).method(method.parse().unwrap());
            let request = request.insert_header(("idempotency-key", *key));
            let request = match *scope {
                "" => request,
                scope => request.insert_header(("x-scope", scope)),
            };
            request.to_request()
        };
        replies.push(in_turn(&app, 1, request).await[0].clone());
    }
    (replies, runs)
}

#[actix_web::test]
async fn operations_of_equal_characters_do_not_share_a_record() {
    let pairs: [[Operation; 2]; 4] = [
        // A scope that ends with a method and the beginning of a path.
        [
            ["a", "POST", "/bPOST/c", "k"],
            ["aPOST/b", "POST", "/c", "k"],
        ],
        // A path that ends with the beginning of a key.
        [["a", "POST", "/cd", "k"], ["a", "POST", "/c", "dk"]],
        // A method that begins with the end of a scope.
        [["aP", "OST", "/c", "k"], ["a", "POST", "/c", "k"]],
        // No scope, and one that looks like what follows.
        [["", "POST", "/POST/c", "k"], ["POST/", "POST", "/c", "k"]],
    ];
    for pair in pairs {
        let [one, other] = pair.map(|parts| parts.concat());
        assert_eq!(one, other);
        let (replies, runs) = replies(&[pair[0], pair[1], pair[0]]).await;
        runs.assert_count(2);
        let replayed: Vec<_> = replies.iter().map(Reply::is_replay).collect();
        assert_eq!(replayed, [false, false, true], "{pair:?}");
    }
}

/// No request has a path with such characters; the key of one can be computed all the same.
#[test]
fn stored_keys_differ_by_where_a_scope_ends() {
    let keys = Idempotency::builder(MemoryStore::new(), Scope::header("x-scope"));
    let keys = keys.build().unwrap();
    let key = "k".parse().unwrap();
    let stored = |scope: &str, path: &str| {
        let key = keys.stored_key(Some(scope), &Method::POST, path, &key);
        key.to_string()
    };
    // With the lengths in front of method and path, and none in front of the scope, these are equal.
    let method = "\0\0\0\0\0\0\0\u{4}POST";
    let (short, long) = ("\0\0\0\0\0\0\0\u{2}", "\0\0\0\0\0\0\0\u{18}");
    let long_scope = format!("a{method}{long}/b");
    let long_path = format!("/b{method}{short}/c");
    assert_eq!(long_path.len(), 0x18);
    assert_ne!(stored(&long_scope, "/c"), stored("a", &long_path));
}
