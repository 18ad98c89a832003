//! Servers that stop while requests hold locks.

use std::time::Duration;

use crate::support::{
    eventually,
    gate::{Gate, gated, gated_on},
    locks::{lock_on, on_each_store},
    redis::Redis,
    server::{post, status},
};

/// Drains end when nothing is in progress; this is for the busiest of machines.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_graceful_stop_lets_the_request_end_and_its_lock_with_it() {
    let redis = Redis::start();
    for lock in on_each_store(&redis) {
        let lock = lock.build().unwrap();
        let gate = Gate::closed();
        let server = gated(lock.clone(), &gate);
        let first = gate.occupy(&server).await;
        let stopping = tokio::spawn(server.stop(true));
        gate.let_go(1);
        assert_eq!(first.await.unwrap().unwrap().status(), 201);
        stopping.await.unwrap();
        assert!(lock.drain(LIMIT).await);
        let next = gated(lock, &Gate::open());
        assert_eq!(status(post(&next, "/", "x")).await, 201);
    }
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn after_a_forced_stop_and_a_drain_every_lock_is_free() {
    let redis = Redis::start();
    for lock in on_each_store(&redis) {
        let lock = lock.build().unwrap();
        let gate = Gate::closed();
        let server = gated_on(2, lock.clone(), &gate);
        let requests =
            ["/a", "/b", "/c", "/d"].map(|path| tokio::spawn(post(&server, path, "x").send()));
        gate.wait_for_entered(4).await;
        server.stop(false).await;
        assert!(lock.drain(LIMIT).await, "nothing is in progress any more");
        assert!(redis.keys().is_empty());
        for request in requests {
            request.await.unwrap().unwrap_err();
        }
        let next = gated(lock, &Gate::open());
        for path in ["/a", "/b", "/c", "/d"] {
            assert_eq!(status(post(&next, path, "x")).await, 201);
        }
        assert_eq!(gate.left(), 0);
    }
}

#[tokio::test]
async fn a_drain_ends_in_time_when_redis_is_away() {
    let mut redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let gate = Gate::closed();
    let server = gated(lock.clone(), &gate);
    let first = gate.occupy(&server).await;
    redis.kill();
    server.stop(false).await;
    assert!(!lock.drain(Duration::from_millis(300)).await);
    first.await.unwrap().unwrap_err();
    redis.restart();
    eventually("the release gets through", async || lock.drain(LIMIT).await).await;
}

#[tokio::test]
async fn a_drain_while_the_server_runs_waits_for_the_requests_of_that_moment() {
    let gate = Gate::closed();
    let redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let server = gated(lock.clone(), &gate);
    assert!(lock.drain(LIMIT).await, "there is nothing to wait for");
    let first = tokio::spawn(post(&server, "/first", "x").send());
    gate.wait_for_entered(1).await;
    let draining = tokio::spawn(async move { lock.drain(LIMIT).await });
    // Requests go on coming; the drain does not wait for them.
    let second = tokio::spawn(post(&server, "/second", "x").send());
    gate.wait_for_entered(2).await;
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert!(draining.await.unwrap());
    gate.let_go(1);
    assert_eq!(second.await.unwrap().unwrap().status(), 201);
}
