//! Redis Cluster: slots that move, and primaries that fail, while requests run.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use actix_web_idempotency::{
    RedisStore,
    store::{
        Begin, Held, NewClaim, Store, StoreKey, conformance,
        redis::{FindingKind, redis},
    },
};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::support::{
    claims::{LONG, PUSHED, assert_finished, begin, claim_under, complete, take, watch},
    cluster::{Cluster, SETTLED},
    eventually, eventually_within,
    redis::Redis,
};

fn claim(n: u8) -> NewClaim {
    claim_under("cluster:", n)
}

#[tokio::test]
async fn the_nodes_keep_the_contract_together() {
    let cluster = Cluster::start().await;
    let store = cluster.store();
    store.ping().await.unwrap();
    conformance::check(&store).await;
    conformance::check_inspect(&store).await;
    for primary in &cluster.primaries {
        assert!(primary.calls("set") > 0, "each has its share");
    }
    let one = RedisStore::cluster([cluster.replica.url()])
        .build()
        .unwrap();
    conformance::check(&one).await;
}

#[tokio::test]
async fn a_check_looks_at_each_primary() {
    let cluster = Cluster::start().await;
    let found = cluster.store().check("cluster:").await.unwrap();
    let kinds: Vec<_> = found.iter().map(|finding| finding.kind()).collect();
    // Alike ones are told once; one of the primaries has a replica.
    assert_eq!(kinds, [FindingKind::NoPersistence, FindingKind::Replicas]);
}

#[tokio::test]
async fn a_check_probes_the_channels_of_each_primary() {
    let cluster = Cluster::start().await;
    for forbidden in &cluster.primaries {
        for node in cluster.all() {
            node.command(&["ACL", "SETUSER", "default", "allchannels"]);
        }
        forbidden.command(&["ACL", "SETUSER", "default", "resetchannels"]);
        let found = cluster.store().check("cluster:").await.unwrap();
        let kinds: Vec<_> = found.iter().map(|finding| finding.kind()).collect();
        assert!(kinds.contains(&FindingKind::NoChannel), "{kinds:?}");
    }
}

#[tokio::test]
async fn who_only_asks_whether_it_is_there_hears_of_a_failover_too() {
    let mut cluster = Cluster::start().await;
    let store = cluster.store();
    store.ping().await.unwrap();
    cluster.primaries[0].kill();
    store.ping().await.unwrap_err();
    eventually_within(SETTLED, "its replica is asked", async || {
        store.ping().await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn nodes_are_found_by_the_names_that_they_announce() {
    let named = [
        "--cluster-announce-hostname",
        "localhost",
        "--cluster-preferred-endpoint-type",
        "hostname",
    ];
    let unknown = ["--cluster-preferred-endpoint-type", "unknown-endpoint"];
    for options in [&named[..], &unknown] {
        let cluster = Cluster::start_with(&[], options).await;
        let store = cluster.store();
        conformance::check(&store).await;
        // Redirections name them in the same way.
        let moved = claim(0);
        take(&store, &moved).await;
        let (slot, home) = (cluster.slot(&moved.key), cluster.home(&moved.key));
        let (from, to) = (&cluster.primaries[home], &cluster.primaries[(home + 1) % 3]);
        cluster.begin_to_move(slot, from, to);
        cluster.end_move(slot, from, to);
        complete(&store, &moved).await;
        assert_finished(&store, &moved).await;
    }
}

/// As behind a NAT: the node that was asked can be reached, the address that it announces cannot.
#[tokio::test]
async fn an_address_that_cannot_be_reached_is_named_in_the_error() {
    // Of this machine, but nobody listens there.
    let node = Redis::with(&[
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.9",
    ]);
    node.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let store = RedisStore::cluster([node.url()]).build().unwrap();
    eventually("it has its slots", async || {
        let err = store.ping().await.unwrap_err().to_string();
        err.contains(&format!("127.0.0.9:{}", node.port()))
    })
    .await;
    let told = ["CONFIG", "SET", "cluster-preferred-endpoint-type"];
    node.command(&[&told[..], &["unknown-endpoint"]].concat());
    eventually("it is found where it was asked", async || {
        store.ping().await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn who_waits_costs_one_connection_to_each_node() {
    let cluster = Cluster::start().await;
    let store = cluster.store();
    let claims: Vec<_> = (0..30).map(claim).collect();
    for claim in &claims {
        take(&store, claim).await;
    }
    let waiting: Vec<_> = (0..60).map(|n| watch(&store, &claims[n % 30])).collect();
    let channels = async || {
        cluster
            .primaries
            .iter()
            .map(|one| one.channels().len())
            .sum::<usize>()
    };
    eventually("all are subscribed to", async || channels().await == 30).await;
    for primary in &cluster.primaries {
        let clients = primary.command(&["CLIENT", "LIST", "TYPE", "pubsub"]);
        let clients: String = redis::from_redis_value(clients).unwrap();
        assert_eq!(clients.lines().count(), 1, "{clients}");
    }
    for claim in &claims {
        complete(&store, claim).await;
    }
    for outcome in timeout(PUSHED, join_all(waiting))
        .await
        .expect("all are told")
    {
        outcome.unwrap().unwrap();
    }
    eventually("nothing is subscribed to", async || channels().await == 0).await;
}

#[tokio::test]
async fn a_slot_on_its_way_is_found_at_both_ends() {
    let cluster = Cluster::start().await;
    let store = cluster.store();
    let tagged = |n: u8| NewClaim {
        // All of one slot.
        key: StoreKey::new("{cluster}:", [n; 32]),
        ..claim(n)
    };
    let (old, finished, waited_for) = (tagged(0), tagged(1), tagged(2));
    for claim in [&old, &finished, &waited_for] {
        take(&store, claim).await;
    }
    complete(&store, &finished).await;
    let waiting = watch(&store, &waited_for);
    let slot = cluster.slot(&old.key);
    let home = cluster.home(&old.key);
    let (from, to) = (&cluster.primaries[home], &cluster.primaries[(home + 1) % 3]);
    eventually("it is subscribed to", async || from.channels().len() == 1).await;

    cluster.begin_to_move(slot, from, to);
    let new = tagged(3);
    take(&store, &new).await;
    assert_eq!(to.keys(), [new.key.to_string()], "it was asked for there");
    let again = begin(&store, &tagged(3)).await.unwrap();
    assert!(
        matches!(again, Begin::InFlight { left: Some(_), .. }),
        "{again:?}"
    );
    complete(&store, &new).await;
    assert_finished(&store, &new).await;
    assert_finished(&store, &finished).await;
    let lock = NewClaim::lock(StoreKey::new("{cluster}:", [4; 32]), LONG);
    take(&store, &lock).await;
    assert_eq!(store.release(&lock.lease()).await.unwrap(), Held::Yes);

    cluster.end_move(slot, from, to);
    assert!(from.keys().is_empty());
    assert_finished(&store, &finished).await;
    complete(&store, &old).await;
    assert_finished(&store, &old).await;
    eventually("it is subscribed to there", async || {
        to.channels().len() == 1
    })
    .await;
    complete(&store, &waited_for).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn slots_that_move_while_requests_run_disturb_nobody() {
    let cluster = Cluster::start().await;
    let store = cluster.store();
    let claims: Vec<_> = (0..250).map(claim).collect();
    let work = async {
        for claim in &claims {
            take(&store, claim).await;
            complete(&store, claim).await;
            assert_finished(&store, claim).await;
        }
    };
    // All in one direction: nodes that hand slots to each other faster than they gossip may not
    // agree in the end.
    let (from, to) = (&cluster.primaries[0], &cluster.primaries[1]);
    let there = claims.iter().filter(|claim| cluster.home(&claim.key) == 0);
    let slots: BTreeSet<_> = there.map(|claim| cluster.slot(&claim.key)).collect();
    let moves = async {
        for slot in slots {
            cluster.begin_to_move(slot, from, to);
            tokio::time::sleep(Duration::from_millis(3)).await;
            cluster.end_move(slot, from, to);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::join!(work, moves);
    assert!(from.keys().is_empty());
    for claim in &claims {
        assert_finished(&store, claim).await;
    }
}

#[tokio::test]
async fn a_killed_primary_is_followed_by_its_replica_and_the_others_go_on() {
    let mut cluster = Cluster::start().await;
    let store = cluster.store();
    let all: Vec<_> = (0..60).map(claim).collect();
    let (lost, others): (Vec<_>, Vec<_>) =
        all.iter().partition(|claim| cluster.home(&claim.key) == 0);
    let (before, lost) = lost.split_first().unwrap();
    take(&store, before).await;
    complete(&store, before).await;
    eventually("the replica has heard of it", async || {
        // It holds the keys of the first only.
        cluster.replica.keys().len() == cluster.primaries[0].keys().len()
    })
    .await;

    cluster.primaries[0].kill();
    for claim in &others {
        take(&store, claim).await;
    }
    eventually_within(SETTLED, "requests succeed again", async || {
        // A claim that has arrived without an answer recognises itself.
        match begin(&store, lost[0]).await {
            Ok(Begin::Claimed { .. }) => true,
            Ok(outcome) => panic!("{outcome:?}"),
            Err(_) => false,
        }
    })
    .await;
    for claim in &lost[1..] {
        take(&store, claim).await;
    }
    assert_finished(&store, before).await;
    let waiting = watch(&store, lost[0]);
    eventually("it is subscribed to", async || {
        cluster.replica.channels().len() == 1
    })
    .await;
    complete(&store, lost[0]).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_stopped_primary_keeps_no_others_waiting() {
    let cluster = Cluster::start().await;
    let store = cluster.store();
    let claims: Vec<_> = (0..60).map(claim).collect();
    // Connections are there.
    store.ping().await.unwrap();
    cluster.primaries[2].freeze();
    let (lost, others): (Vec<_>, Vec<_>) = claims
        .iter()
        .partition(|claim| cluster.home(&claim.key) == 2);
    let calls = lost.iter().map(|claim| begin(&store, claim));
    let (refused, ()) = tokio::join!(join_all(calls), async {
        for claim in &others {
            let begun = Instant::now();
            take(&store, claim).await;
            assert!(
                begun.elapsed() < Duration::from_millis(400),
                "{:?}",
                begun.elapsed()
            );
        }
    });
    assert!(refused.iter().all(Result::is_err));
    cluster.primaries[2].thaw();
    for claim in lost {
        eventually("it is served again", async || {
            matches!(begin(&store, claim).await, Ok(Begin::Claimed { .. }))
        })
        .await;
    }
}
