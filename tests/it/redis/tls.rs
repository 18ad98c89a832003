//! `rediss://`, with a certificate authority that only the environment knows, or only the builder.

use std::time::Duration;

use actix_web_idempotency::{RedisStore, store::conformance};

use crate::support::{
    authority::Authority,
    cluster::{Cluster, SETTLED},
    eventually_within,
    quickstart::Quickstart,
    redis::Redis,
    sentinel::{FAILOVER, Fleet, NAME, Sentinel},
};

#[tokio::test]
async fn a_server_is_trusted_when_its_authority_is() {
    let authority = Authority::new();
    let redis = authority.server();
    let (url, trusted) = (redis.tls_url(), authority.path("ca.crt"));
    let trusting = Quickstart::start(&[("REDIS_URL", &url), ("SSL_CERT_FILE", &trusted)]);
    assert_eq!(trusting.order("one tea").await.0, 201);

    // Signed by nobody the system knows.
    let doubting = Quickstart::start(&[("REDIS_URL", &url)]);
    assert_eq!(doubting.order("one tea").await.0, 503);
}

#[tokio::test]
async fn an_authority_of_ones_own_is_given_to_the_builder() {
    let authority = Authority::new();
    let redis = authority.server();
    let store = RedisStore::builder(redis.tls_url()).certificate_authority(authority.pem("ca.crt"));
    let store = store.timeout(Duration::from_secs(5)).build().unwrap();
    conformance::check(&store).await;
    assert!(redis.calls("ssubscribe") > 0, "wake-ups come over TLS too");

    let other = Authority::new();
    let store = RedisStore::builder(redis.tls_url()).certificate_authority(other.pem("ca.crt"));
    store.build().unwrap().ping().await.unwrap_err();
}

/// Some managed servers offer no newer version.
#[tokio::test]
async fn server_that_speaks_tls_1_2_alone_is_met() {
    let authority = Authority::new();
    let tls = authority.tls();
    let tls: Vec<_> = tls.iter().map(String::as_str).collect();
    let options = ["--tls-auth-clients", "no", "--tls-protocols", "TLSv1.2"];
    let redis = Redis::with_tls(&tls, &options);
    let store = RedisStore::builder(redis.tls_url()).certificate_authority(authority.pem("ca.crt"));
    let store = store.timeout(Duration::from_secs(5)).build().unwrap();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_asks_who_connects_is_shown_a_certificate() {
    let authority = Authority::new();
    let redis = authority.server();
    redis.command(&["CONFIG", "SET", "tls-auth-clients", "yes"]);
    let trusting =
        || RedisStore::builder(redis.tls_url()).certificate_authority(authority.pem("ca.crt"));
    trusting().build().unwrap().ping().await.unwrap_err();

    let store = authority.shown_to(RedisStore::builder(redis.tls_url()));
    store.ping().await.unwrap();
}

#[tokio::test]
async fn sentinels_and_the_servers_that_they_name_are_met_over_tls() {
    let authority = Authority::new();
    let tls = authority.mutual_tls();
    let tls: Vec<_> = tls.iter().map(String::as_str).collect();
    let fleet = Fleet::start_with(&tls).await;
    let builder = || RedisStore::sentinel(format!("rediss://{NAME}/"), fleet.urls());
    let stranger = builder().certificate_authority(authority.pem("ca.crt"));
    stranger.build().unwrap().ping().await.unwrap_err();

    let store = authority.shown_to(builder());
    conformance::check(&store).await;
    assert!(fleet.master.calls("ssubscribe") > 0, "wake-ups come too");

    fleet.fail_over().await;
    eventually_within(FAILOVER, "wake-ups come from the new master", async || {
        store.check("tls:").await.is_ok() && fleet.replica.calls("ssubscribe") > 0
    })
    .await;
}

/// Of servers without TLS, by sentinels with it.
#[tokio::test]
async fn certificates_may_be_for_the_sentinels_alone() {
    let authority = Authority::new();
    let tls = authority.tls();
    let tls: Vec<_> = tls.iter().map(String::as_str).collect();
    let fleet = Fleet::start().await;
    let tls = [&tls, &["--tls-auth-clients", "no"][..]].concat();
    let guard = Sentinel::start(&fleet.master, &tls);
    let store = RedisStore::sentinel(format!("redis://{NAME}/"), [guard.url()]);
    let store = store.certificate_authority(authority.pem("ca.crt"));
    store.build().unwrap().ping().await.unwrap();

    let nobody = RedisStore::sentinel(format!("redis://{NAME}/"), ["redis://127.0.0.1:1/"]);
    let nobody = nobody.certificate_authority(authority.pem("ca.crt"));
    let err = nobody.build().unwrap_err();
    assert!(err.to_string().contains("rediss://"), "{err}");
}

#[tokio::test]
async fn all_nodes_of_a_cluster_are_met_over_tls() {
    let authority = Authority::new();
    let tls = authority.mutual_tls();
    let tls: Vec<_> = tls.iter().map(String::as_str).collect();
    let mut cluster = Cluster::start_with(&tls, &["--tls-cluster", "yes"]).await;
    let urls = || cluster.primaries[1..].iter().map(Redis::tls_url);
    let stranger = RedisStore::cluster(urls()).certificate_authority(authority.pem("ca.crt"));
    stranger.build().unwrap().ping().await.unwrap_err();

    let store = authority.shown_to(RedisStore::cluster(urls()));
    conformance::check(&store).await;
    store.check("tls:").await.unwrap();
    for primary in &cluster.primaries {
        assert!(primary.calls("ssubscribe") > 0, "wake-ups come from each");
    }

    cluster.primaries[0].kill();
    eventually_within(SETTLED, "its replica is followed", async || {
        store.check("tls:").await.is_ok()
    })
    .await;
    assert!(cluster.replica.calls("set") > 0);
}

#[test]
fn certificates_that_cannot_be_used_are_refused_when_the_store_is_built() {
    let authority = Authority::new();
    let store = RedisStore::builder("rediss://localhost").client_certificate("x", "y");
    store.build().unwrap_err();
    let plain = RedisStore::builder("redis://localhost");
    let err = plain
        .certificate_authority(authority.pem("ca.crt"))
        .build()
        .unwrap_err();
    assert!(err.to_string().contains("rediss://"), "{err}");
}
