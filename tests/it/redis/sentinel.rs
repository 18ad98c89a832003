//! A master that Sentinel names: found, and followed when it fails over.

use std::time::Instant;

use actix_web_idempotency::{
    RedisStore,
    store::{Begin, NewClaim, conformance},
};
use tokio::time::timeout;

use crate::support::{
    GENEROUS,
    claims::{BOUND, PUSHED, assert_finished, begin, claim_under, complete, watch},
    eventually, eventually_within,
    sentinel::{FAILOVER, Fleet, NAME},
};

fn claim(n: u8) -> NewClaim {
    claim_under("sentinel:", n)
}

/// Tries until it has the claim. A claim that has arrived without an answer recognises itself.
async fn wait_for_claim(store: &RedisStore, claim: &NewClaim) {
    eventually_within(FAILOVER, "requests succeed again", async || {
        match begin(store, claim).await {
            Ok(Begin::Claimed { .. }) => true,
            Ok(outcome) => panic!("{outcome:?}"),
            Err(_) => false,
        }
    })
    .await;
}

#[tokio::test]
async fn the_master_keeps_the_contract() {
    let fleet = Fleet::start().await;
    let store = fleet.store();
    store.ping().await.unwrap();
    conformance::check(&store).await;
    conformance::check_inspect(&store).await;
    assert!(fleet.master.calls("set") > 0);

    let third = RedisStore::sentinel(format!("redis://{NAME}/3"), fleet.urls());
    wait_for_claim(&third.timeout(GENEROUS).build().unwrap(), &claim(0)).await;
    let keyspace = format!("{:?}", fleet.master.command(&["INFO", "keyspace"]));
    assert!(keyspace.contains("db3:keys=1"), "{keyspace}");

    let unknown = RedisStore::sentinel("redis://somebody/", fleet.urls());
    let unknown = unknown.timeout(GENEROUS).build().unwrap();
    let err = unknown.ping().await.unwrap_err();
    assert!(err.to_string().contains("no master of this name"), "{err}");

    let asked = || fleet.sentinels[0].clients().contains("get-master-addr");
    eventually("a sentinel is asked now and then", async || asked()).await;
    drop(store);
    eventually("it is not when the store has gone", async || !asked()).await;
}

#[tokio::test]
async fn a_killed_master_is_followed_by_its_replica() {
    let mut fleet = Fleet::start().await;
    let store = fleet.store();
    let (before, waited_for) = (claim(0), claim(1));
    wait_for_claim(&store, &before).await;
    wait_for_claim(&store, &waited_for).await;
    complete(&store, &before).await;
    eventually("the replica has heard of it", async || {
        fleet.replica.keys().len() == 2
    })
    .await;
    let waiting = watch(&store, &waited_for);

    fleet.master.kill();
    // One sentinel that is gone as well keeps nobody from asking the others.
    fleet.sentinels[0].kill();
    let err = begin(&store, &claim(2)).await.unwrap_err();
    let begun = Instant::now();
    for _ in 0..50 {
        let _ = begin(&store, &claim(2)).await;
    }
    assert!(
        begun.elapsed() < 4 * BOUND,
        "{:?} after {err}",
        begun.elapsed()
    );

    let after = claim(3);
    wait_for_claim(&store, &after).await;
    assert_finished(&store, &claim(0)).await;

    // Who waited has been through it too, or has been told that it could not go on.
    if !waiting.is_finished() {
        complete(&store, &waited_for).await;
    }
    let _ = timeout(BOUND + PUSHED, waiting)
        .await
        .expect("it ends")
        .unwrap();
}

/// It does not know it: Sentinel makes it a replica ten seconds later.
#[tokio::test]
async fn a_master_is_left_when_the_sentinels_name_another() {
    let fleet = Fleet::start().await;
    let store = fleet.store();
    let watched = claim(0);
    wait_for_claim(&store, &watched).await;
    let waiting = watch(&store, &watched);
    eventually("it is subscribed to", async || {
        fleet.master.channels().len() == 1
    })
    .await;
    fleet.replica.hears_of_all(&fleet.master).await;

    fleet.order_failover().await;
    fleet.replica_is_named().await;
    eventually("wake-ups come from there", async || {
        fleet.replica.channels().len() == 1
    })
    .await;
    for n in 1..10 {
        wait_for_claim(&store, &claim(n)).await;
    }
    let keys = fleet.replica.keys().len();
    assert_eq!(keys, 10, "all of them are on the new master");
    let role = fleet.master.replication("role");
    assert_eq!(role.as_deref(), Some("master"), "nobody has told it yet");

    complete(&store, &watched).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

/// Nobody has killed its connections: what it says itself is all there is to know.
#[tokio::test]
async fn a_server_that_refuses_to_write_is_left() {
    let mut fleet = Fleet::start().await;
    let store = fleet.store();
    wait_for_claim(&store, &claim(0)).await;
    for sentinel in &mut fleet.sentinels {
        sentinel.kill();
    }
    let port = fleet.replica.port().to_string();
    fleet.replica.command(&["REPLICAOF", "NO", "ONE"]);
    fleet.master.command(&["REPLICAOF", "127.0.0.1", &port]);
    assert_left(&store).await;
}

/// Its replicas have another master by now, of which it has not heard.
#[tokio::test]
async fn a_server_that_its_replicas_have_left_is_left() {
    let mut fleet = Fleet::start().await;
    for (name, value) in [
        ("min-replicas-to-write", "1"),
        ("min-replicas-max-lag", "1"),
    ] {
        fleet.master.command(&["CONFIG", "SET", name, value]);
    }
    let store = fleet.store();
    wait_for_claim(&store, &claim(0)).await;
    for sentinel in &mut fleet.sentinels {
        sentinel.kill();
    }
    fleet.replica.command(&["REPLICAOF", "NO", "ONE"]);
    assert_left(&store).await;
}

/// A new connection is asked for, of sentinels that are gone.
async fn assert_left(store: &RedisStore) {
    eventually("it is left", async || {
        let err = begin(store, &claim(1)).await.unwrap_err();
        err.to_string().contains("no connection")
    })
    .await;
}
