//! Waiting for a key in Redis: by push where it can be had, without it where not.

use std::time::{Duration, Instant};

use actix_web_idempotency::{
    RedisStore,
    store::{Held, NewClaim, Store, redis::redis},
};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::support::{
    claims::{PUSHED, claim_under, complete, take, watch},
    eventually, log,
    proxy::Proxy,
    redis::Redis,
};

fn claim(n: u8) -> NewClaim {
    claim_under("wake:", n)
}

async fn wait_for_channels(redis: &Redis, count: usize) {
    eventually("the channels are subscribed to", async || {
        redis.channels().len() == count
    })
    .await;
}

#[tokio::test]
async fn who_waits_costs_one_subscription_and_one_comparison() {
    let redis = Redis::start();
    let store = redis.store();
    for end_by_release in [false, true] {
        let claim = claim(0);
        take(&store, &claim).await;
        let (subscribed, looked) = (redis.calls("ssubscribe"), redis.calls("pttl"));
        let waiting = watch(&store, &claim);
        wait_for_channels(&redis, 1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(redis.calls("ssubscribe"), subscribed + 1);
        assert_eq!(redis.calls("pttl"), looked + 1, "it does not poll");
        match end_by_release {
            true => assert_eq!(store.release(&claim.lease()).await.unwrap(), Held::Yes),
            false => complete(&store, &claim).await,
        }
        timeout(PUSHED, waiting)
            .await
            .expect("it is told")
            .unwrap()
            .unwrap();
        wait_for_channels(&redis, 0).await;
        redis.command(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn many_who_wait_share_one_connection() {
    let redis = Redis::start();
    let store = redis.store();
    let claims: Vec<_> = (0..10).map(claim).collect();
    for claim in &claims {
        take(&store, claim).await;
    }
    let waiting: Vec<_> = (0..50).map(|n| watch(&store, &claims[n % 10])).collect();
    wait_for_channels(&redis, 10).await;
    let clients = redis.command(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    let clients: String = redis::from_redis_value(clients).unwrap();
    assert_eq!(clients.lines().count(), 1, "{clients}");
    assert_eq!(redis.calls("ssubscribe"), 10);
    for claim in &claims {
        complete(&store, claim).await;
    }
    let all = timeout(PUSHED, join_all(waiting)).await;
    for watched in all.expect("all are told") {
        watched.unwrap().unwrap();
    }
    wait_for_channels(&redis, 0).await;
}

#[tokio::test]
async fn who_stops_waiting_unsubscribes() {
    let redis = Redis::start();
    let store = redis.store();
    let claim = claim(0);
    take(&store, &claim).await;
    let (gone, stays) = (watch(&store, &claim), watch(&store, &claim));
    wait_for_channels(&redis, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    complete(&store, &claim).await;
    timeout(PUSHED, stays)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
    wait_for_channels(&redis, 0).await;
}

#[tokio::test]
async fn a_lost_subscription_heals() {
    let redis = Redis::start();
    let store = redis.store();
    let claim = claim(0);
    take(&store, &claim).await;
    let waiting = watch(&store, &claim);
    for _ in 0..3 {
        wait_for_channels(&redis, 1).await;
        redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    }
    wait_for_channels(&redis, 1).await;
    complete(&store, &claim).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

/// A busy machine can make every single one late, but not all of them; the look that is taken although
/// nothing was pushed is always late.
#[tokio::test]
async fn lost_subscription_is_back_long_before_the_next_look() {
    const SOON: Duration = Duration::from_secs(2);
    let redis = Redis::start();
    let store = redis.store();
    let claim = claim(0);
    take(&store, &claim).await;
    let waiting = watch(&store, &claim);
    wait_for_channels(&redis, 1).await;
    let mut took = vec![];
    while took.iter().all(|took| *took >= SOON) {
        assert!(took.len() < 10, "{took:?}");
        let (lost, subscribed) = (Instant::now(), redis.calls("ssubscribe"));
        redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        eventually("it is subscribed to anew", async || {
            redis.calls("ssubscribe") > subscribed
        })
        .await;
        took.push(lost.elapsed());
    }
    complete(&store, &claim).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_subscription_is_found_out_by_the_look_that_is_taken_all_the_same() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port()).await;
    let store = RedisStore::new(format!("redis://127.0.0.1:{}/", proxy.port())).unwrap();
    let claim = claim(0);
    take(&store, &claim).await;
    let waiting = watch(&store, &claim);
    eventually("it has looked", async || redis.calls("pttl") > 0).await;
    // On the same connection, so that it has its answer too.
    store.ping().await.unwrap();
    let subscribed = redis.calls("ssubscribe");
    proxy.forget();
    // Replaces the connection for calls; the one for wake-ups is another.
    store.ping().await.unwrap();
    eventually("it is subscribed to anew", async || {
        redis.calls("ssubscribe") > subscribed
    })
    .await;
    complete(&store, &claim).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_subscription_for_which_there_is_no_connection_left_is_complained_of_once() {
    log::collect();
    let redis = Redis::with(&["--maxclients", "3"]);
    // One to ask with, one more until the wait has begun, and that of the store.
    let (mut ask, other) = (redis.connection(), redis.connection());
    // Looks ten times a second, and one that times out would end the wait.
    let store = RedisStore::builder(redis.url()).timeout(Duration::from_secs(5));
    let store = store.build().unwrap();
    let claim = claim(0);
    take(&store, &claim).await;
    let waiting = watch(&store, &claim);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let said = log::lines_with(&format!(
        "notifications from Redis; waiting duplicates poll: HELLO at 127.0.0.1:{}",
        redis.port()
    ));
    // Another test may have had a server on this port before.
    let said: Vec<_> = (said.iter())
        .filter(|line| line.contains("max number of clients"))
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("max number of clients reached"),
        "{said:?}"
    );

    drop(other);
    let end = Instant::now() + Duration::from_secs(10);
    let mut channels = vec![];
    while channels.is_empty() {
        assert!(Instant::now() < end, "never: it is subscribed to");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let question = redis::cmd("PUBSUB").arg("SHARDCHANNELS").to_owned();
        channels = question.query::<Vec<String>>(&mut ask).unwrap();
    }
    complete(&store, &claim).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it is told")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_user_without_channels_loses_the_push_and_nothing_else() {
    let redis = Redis::start();
    redis.command(&[
        "ACL",
        "SETUSER",
        "ann",
        "on",
        ">pass",
        "~*",
        "+@all",
        "resetchannels",
    ]);
    let url = format!("redis://ann:pass@127.0.0.1:{}/", redis.port());
    let store = RedisStore::new(url).unwrap();
    let claim = claim(0);
    take(&store, &claim).await;
    let waiting = watch(&store, &claim);
    eventually("it looks by itself", async || redis.calls("pttl") > 4).await;
    assert_eq!(
        redis.calls("ssubscribe"),
        0,
        "a refused command is not counted as a call"
    );
    let refused = redis.refused("ssubscribe");
    assert_eq!(refused, 1, "it is not asked for again");
    complete(&store, &claim).await;
    timeout(PUSHED, waiting)
        .await
        .expect("it finds out")
        .unwrap()
        .unwrap();
    assert!(redis.channels().is_empty());
}
