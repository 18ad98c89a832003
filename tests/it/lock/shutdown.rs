//! Servers that stop while requests hold locks.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

use crate::support::{
    backend::{Backend, each_store},
    eventually,
    gate::{Gate, gated, gated_on},
    locks::{lock_on, memory_lock},
    log,
    redis::Redis,
    server::{post, status},
};

/// Drains end when nothing is in progress; this is for the busiest of machines.
const LIMIT: Duration = Duration::from_secs(60);
/// So long it takes to see that something does not end.
const SHORT: Duration = Duration::from_millis(100);

each_store!(a_graceful_stop_lets_the_request_end_and_its_lock_with_it);
async fn a_graceful_stop_lets_the_request_end_and_its_lock_with_it(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
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
    backend.assert_empty().await;
}

each_store!(after_a_forced_stop_and_a_drain_every_lock_is_free);
async fn after_a_forced_stop_and_a_drain_every_lock_is_free(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let gate = Gate::closed();
    let server = gated_on(2, lock.clone(), &gate);
    let requests =
        ["/a", "/b", "/c", "/d"].map(|path| tokio::spawn(post(&server, path, "x").send()));
    gate.wait_for_entered(4).await;
    server.stop(false).await;
    assert!(lock.drain(LIMIT).await, "nothing is in progress any more");
    backend.assert_empty().await;
    for request in requests {
        request.await.unwrap().unwrap_err();
    }
    let next = gated(lock, &Gate::open());
    for path in ["/a", "/b", "/c", "/d"] {
        assert_eq!(status(post(&next, path, "x")).await, 201);
    }
    assert_eq!(gate.left(), 0);
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

#[tokio::test]
async fn drain_on_waits_for_the_signal_and_then_for_requests_in_progress() {
    let gate = Gate::closed();
    let lock = memory_lock();
    let server = gated(lock.clone(), &gate);
    let first = gate.occupy(&server).await;
    let (ask, signal) = oneshot::channel::<()>();
    let mut stop = tokio::spawn(lock.drain_on(signal, LIMIT));
    assert!(timeout(SHORT, &mut stop).await.is_err(), "no signal yet");
    ask.send(()).unwrap();
    assert!(timeout(SHORT, &mut stop).await.is_err(), "a request runs");
    gate.let_go(1);
    stop.await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
}

#[tokio::test]
async fn drain_on_ends_at_its_limit_and_logs_that_work_goes_on() {
    log::collect();
    let gate = Gate::closed();
    let lock = memory_lock();
    let server = gated(lock.clone(), &gate);
    let first = gate.occupy(&server).await;
    lock.drain_on(async {}, SHORT).await;
    let text = "work is still in progress 100ms after the stop signal";
    assert_eq!(log::lines_with(text).len(), 1);
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
}
