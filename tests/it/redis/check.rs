//! What `RedisStore::check` finds.

use actix_web_idempotency::{
    RedisStore,
    store::redis::{FindingKind, bb8, bb8_redis::RedisConnectionManager},
};

use crate::support::{log, redis::Redis};

const PREFIX: &str = "check:";

/// What is found on a server with these options, for this user.
async fn found(options: &[&str]) -> Vec<FindingKind> {
    let redis = Redis::with(options);
    let found = redis.store().check(PREFIX).await.unwrap();
    assert!(redis.keys().is_empty(), "it leaves nothing behind");
    found.iter().map(|finding| finding.kind()).collect()
}

#[tokio::test]
async fn a_server_that_forgets_nothing_gives_no_finding() {
    assert_eq!(found(&["--appendonly", "yes"]).await, []);
}

#[tokio::test]
async fn each_setting_that_may_forget_is_found_with_what_to_change() {
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        let options = ["--appendonly", "yes", "--maxmemory-policy", policy];
        assert_eq!(found(&options).await, [FindingKind::Eviction], "{policy}");
    }
    assert_eq!(found(&[]).await, [FindingKind::NoPersistence]);
    assert_eq!(
        found(&["--save", "60 1"]).await,
        [FindingKind::NoPersistence]
    );

    let redis = Redis::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu"]);
    let said: Vec<_> = redis.store().check(PREFIX).await.unwrap();
    let said: Vec<_> = said.iter().map(|finding| finding.to_string()).collect();
    assert!(said[0].contains("allkeys-lfu") && said[0].contains("Set maxmemory-policy noeviction"));
    assert!(said[0].contains("when maxmemory is reached"), "{}", said[0]);
    assert!(said[1].contains("forgets everything") && said[1].contains("appendonly yes"));
}

#[tokio::test]
async fn replicas_are_told() {
    let master = Redis::with(&["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]);
    let port = master.port().to_string();
    let replica = Redis::with(&["--replicaof", "127.0.0.1", &port]);
    let store = master.store();
    crate::support::eventually("the replica is there", async || {
        let found = store.check(PREFIX).await.unwrap();
        found
            .iter()
            .any(|finding| finding.kind() == FindingKind::Replicas)
    })
    .await;
    let err = replica.store().check(PREFIX).await.unwrap_err().to_string();
    assert!(err.to_lowercase().contains("read only replica"), "{err}");
}

#[tokio::test]
async fn what_a_user_may_not_is_an_error_or_a_finding() {
    let redis = Redis::with(&["--appendonly", "yes"]);
    let check = async |name: &str, rules: &[&str]| {
        let user = [&["ACL", "SETUSER", name, "on", ">pass"], rules].concat();
        redis.command(&user);
        let url = format!("redis://{name}:pass@127.0.0.1:{}/", redis.port());
        let found = RedisStore::new(url).unwrap().check(PREFIX).await;
        found.map(|found| {
            found
                .iter()
                .map(|finding| finding.kind())
                .collect::<Vec<_>>()
        })
    };
    let all = ["~check:*", "&check:*", "+@all"];
    assert_eq!(check("all", &all).await.unwrap(), []);
    for (name, rules) in [
        (
            "channels",
            ["~check:*", "resetchannels", "+@all"].as_slice(),
        ),
        ("publishing", &["~check:*", "&*", "+@all", "-spublish"]),
        ("subscribing", &["~check:*", "&*", "+@all", "-ssubscribe"]),
    ] {
        let found = check(name, rules).await.unwrap();
        assert_eq!(found, [FindingKind::NoChannel], "{name}");
    }
    let told = check(
        "told",
        &["~check:*", "&check:*", "+@all", "-config", "-info"],
    )
    .await;
    assert_eq!(told.unwrap(), [FindingKind::NotTold]);
    for (name, rules) in [
        ("keys", ["~other:*", "&*", "+@all"].as_slice()),
        ("scripts", &["~check:*", "&*", "+@all", "-@scripting"]),
        ("writes", &["~check:*", "&*", "+@all", "-set"]),
    ] {
        let err = check(name, rules).await.unwrap_err().to_string();
        // Redis: "this user has no permissions", Valkey and Redis 8: "No permissions".
        let err = err.to_lowercase();
        assert!(err.contains("no permissions"), "{name}: {err}");
    }
}

#[tokio::test]
async fn a_pool_of_the_application_is_never_told() {
    let redis = Redis::with(&["--appendonly", "yes"]);
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder().build(manager).await.unwrap();
    let found = RedisStore::from_pool(pool).check(PREFIX).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|finding| finding.kind()).collect();
    assert_eq!(kinds, [FindingKind::NoChannel]);
    assert!(found[0].to_string().contains("pool"), "{}", found[0]);
}

/// Redis asks nobody for a permission to say hello, so no user can lose the push by that.
#[tokio::test]
async fn hello_cannot_be_forbidden_and_where_it_is_renamed_wake_ups_are_missing() {
    let redis = Redis::with(&["--appendonly", "yes"]);
    redis.command(&[
        "ACL", "SETUSER", "ann", "on", ">pass", "~*", "&*", "+@all", "-hello",
    ]);
    let url = format!("redis://ann:pass@127.0.0.1:{}/", redis.port());
    let found = RedisStore::new(url).unwrap().check(PREFIX).await;
    assert_eq!(found.unwrap(), []);

    let renamed = Redis::with(&["--rename-command", "HELLO", ""]);
    let found = renamed.store().check(PREFIX).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|finding| finding.kind()).collect();
    assert_eq!(kinds, [FindingKind::NoPersistence, FindingKind::NoChannel]);
    let said = found[1].to_string();
    assert!(said.contains("leave HELLO its name"), "{said}");
}

#[tokio::test]
async fn a_server_that_cannot_work_is_an_error_and_findings_are_logged_once() {
    log::collect();
    let mut redis = Redis::with(&["--maxmemory-policy", "volatile-random"]);
    let store = redis.store();
    for _again in 0..2 {
        assert_eq!(store.check(PREFIX).await.unwrap().len(), 2);
    }
    assert_eq!(log::lines_with("volatile-random").len(), 1);
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(
        store
            .check(PREFIX)
            .await
            .unwrap_err()
            .to_string()
            .contains("OOM")
    );
    redis.kill();
    assert!(store.check(PREFIX).await.is_err());
}
