//! The rights that the guide asks for suffice, on every topology, and each is needed where it is
//! asked for.

use actix_web_idempotency::{
    RedisStore,
    store::{
        Cursor, Inspect, conformance,
        redis::{FindingKind, redis},
    },
};

use crate::support::{
    cluster::Cluster,
    eventually_within,
    redis::Redis,
    sentinel::{FAILOVER, Fleet, NAME},
};

const GUIDE: &str = include_str!("../../../src/guide/redis.rs");

/// What the guide gives for these purposes, for all keys: the suite for stores has its own.
fn rights(purposes: &[&str]) -> Vec<Vec<String>> {
    let told = |purpose: &&str| {
        let lines = GUIDE.lines().filter_map(|line| {
            let (command, of) = line.strip_prefix("//! ACL SETUSER ")?.split_once("   ")?;
            (of.trim() == *purpose).then(|| command.replace("idempotency:", ""))
        });
        let lines: Vec<_> = lines.collect();
        assert!(!lines.is_empty(), "the guide gives nothing for {purpose:?}");
        lines
    };
    let lines = purposes.iter().flat_map(told);
    lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn grant(server: &Redis, purposes: &[&str]) {
    for words in rights(purposes) {
        let words = words.iter().map(String::as_str);
        server.command(
            &["ACL", "SETUSER"]
                .into_iter()
                .chain(words)
                .collect::<Vec<_>>(),
        );
    }
}

/// Who uses it, by what it says itself.
fn users(server: &Redis) -> Vec<String> {
    let clients = server.command(&["CLIENT", "LIST"]);
    let clients: String = redis::from_redis_value(clients).unwrap();
    let users = clients
        .split(' ')
        .filter_map(|word| word.strip_prefix("user="));
    users.map(str::to_owned).collect()
}

/// Kinds that say that something is missing.
async fn missing(store: &RedisStore) -> Vec<FindingKind> {
    let found = store.check("rights:").await.unwrap();
    let kinds = found.iter().map(|finding| finding.kind());
    let about_rights = |kind: &_| matches!(kind, FindingKind::NoChannel | FindingKind::NotTold);
    kinds.filter(about_rights).collect()
}

#[tokio::test]
async fn of_one_server() {
    let redis = Redis::start();
    let url = format!("redis://app:secret@127.0.0.1:{}/", redis.port());
    let store = || RedisStore::new(url.clone()).unwrap();
    grant(&redis, &["always"]);
    store().ping().await.unwrap();
    assert_eq!(
        missing(&store()).await,
        [FindingKind::NotTold, FindingKind::NoChannel]
    );
    grant(&redis, &["for notifications"]);
    assert_eq!(missing(&store()).await, [FindingKind::NotTold]);
    grant(&redis, &["for check"]);
    assert_eq!(missing(&store()).await, []);
    conformance::check(&store()).await;
    let most = 10.try_into().unwrap();
    store()
        .list("rights:", &Cursor::start(), most)
        .await
        .unwrap_err();
    grant(&redis, &["for Inspect"]);
    conformance::check_inspect(&store()).await;
}

#[tokio::test]
async fn of_a_master_and_of_the_sentinels() {
    let fleet = Fleet::start().await;
    for server in [&fleet.master, &fleet.replica] {
        grant(
            server,
            &["always", "for notifications", "for check", "with Sentinel"],
        );
    }
    for sentinel in &fleet.sentinels {
        for words in rights(&["on each sentinel"]) {
            let words = words.iter().map(String::as_str);
            let words: Vec<_> = ["ACL", "SETUSER"].into_iter().chain(words).collect();
            sentinel.ask(&words).unwrap();
        }
    }
    let master = |password: &str| format!("redis://app:{password}@{NAME}/");
    let sentinels = |password: &str| {
        let urls = fleet.sentinels.iter();
        urls.map(|one| one.url_of("app", password))
            .collect::<Vec<_>>()
    };
    for (on_servers, on_sentinels) in [("wrong", "other"), ("secret", "wrong")] {
        let store = RedisStore::sentinel(master(on_servers), sentinels(on_sentinels));
        let err = store.build().unwrap().ping().await.unwrap_err();
        assert!(err.to_string().contains("authentication failed"), "{err}");
    }
    let store = RedisStore::sentinel(master("secret"), sentinels("other"));
    let store = store.build().unwrap();
    assert_eq!(missing(&store).await, []);
    conformance::check(&store).await;
    assert!(users(&fleet.master).contains(&"app".to_owned()));

    fleet.fail_over().await;
    eventually_within(FAILOVER, "the new master is followed", async || {
        store.ping().await.is_ok() && users(&fleet.replica).contains(&"app".to_owned())
    })
    .await;
}

#[tokio::test]
async fn of_each_node_of_a_cluster() {
    let cluster = Cluster::start().await;
    let nodes = || {
        let ports = cluster.primaries.iter().map(Redis::port);
        let urls = ports.map(|port| format!("redis://app:secret@127.0.0.1:{port}/"));
        RedisStore::cluster(urls).build().unwrap()
    };
    for server in cluster.all() {
        grant(server, &["always", "for check"]);
    }
    nodes().ping().await.unwrap_err();
    for server in cluster.all() {
        grant(server, &["in a cluster, on each node"]);
    }
    for server in &cluster.primaries {
        assert_eq!(missing(&nodes()).await, [FindingKind::NoChannel]);
        grant(server, &["for notifications"]);
    }
    let store = nodes();
    assert_eq!(missing(&store).await, []);
    conformance::check(&store).await;
    for primary in &cluster.primaries {
        assert!(users(primary).contains(&"app".to_owned()));
    }
}
