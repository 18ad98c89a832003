//! Redis away, stopped, changed or hostile: what clients see, and that nothing stays locked.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use actix_web_idempotency::{
    RedisStore,
    store::{
        NewClaim, Store, StoreKey,
        redis::{bb8, bb8_redis::RedisConnectionManager, redis},
    },
};
use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{
    GENEROUS, eventually,
    gate::{Gate, gated},
    locks::lock_on,
    log,
    pretend::{hello, pretend},
    proxy::{Proxy, Traffic},
    redis::Redis,
    server::{Server, client, post, status},
    wire::Wire,
};

/// What a call to the store may take at most, and what a loaded machine adds.
const STORE_TIMEOUT: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_millis(1500);
/// Much sooner than the TTL of a minute would do it.
const SOON: Duration = Duration::from_secs(10);

/// Servers over one store, one that fails closed and one that fails open, their handlers open.
fn closed_and_open(store: impl Store + Clone) -> (Server, Server, Gate) {
    let gate = Gate::open();
    let [closed, open] = [false, true].map(|silent| {
        let lock = lock_on(store.clone())
            .silent(silent)
            .key_prefix(format!("{silent}:"));
        gated(lock.build().unwrap(), &gate)
    });
    (closed, open, gate)
}

async fn assert_refused(server: &Server) {
    let begun = Instant::now();
    let answer = post(server, "/", "x").send().await.unwrap();
    assert!(
        begun.elapsed() < STORE_TIMEOUT + SLACK,
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let text = answer.text().await.unwrap();
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert!(
        problem["type"]
            .as_str()
            .unwrap()
            .ends_with("#store-unavailable")
    );
    let lower = text.to_lowercase();
    for internal in [
        "redis",
        "127.0.0.1",
        "refused",
        "oom",
        "maxmemory",
        "wrongpass",
    ] {
        assert!(
            !lower.contains(internal),
            "{internal} is nobody's business: {text}"
        );
    }
}

async fn assert_unguarded(server: &Server) {
    let begun = Instant::now();
    assert_eq!(status(post(server, "/", "x")).await, 201);
    assert!(
        begun.elapsed() < STORE_TIMEOUT + SLACK,
        "{:?}",
        begun.elapsed()
    );
}

async fn assert_healed(server: &Server) {
    eventually("the service resumes", async || {
        status(post(server, "/", "x")).await == 201
    })
    .await;
}

/// The store does not work: one server refuses, the other runs its handler.
async fn assert_both_ways(closed: &Server, open: &Server, gate: &Gate) {
    let ran = gate.entered();
    for _ in 0..3 {
        assert_refused(closed).await;
    }
    assert_eq!(gate.entered(), ran, "nothing runs while the store is away");
    for _ in 0..3 {
        assert_unguarded(open).await;
    }
    assert_eq!(gate.entered(), ran + 3);
}

#[tokio::test]
async fn redis_killed_and_restarted() {
    log::collect();
    let mut redis = Redis::start();
    let (closed, open, gate) = closed_and_open(redis.default_store());
    assert_healed(&closed).await;
    assert_healed(&open).await;
    redis.kill();
    assert_both_ways(&closed, &open, &gate).await;
    let warned = log::lines_with("true:");
    assert!(
        warned
            .iter()
            .any(|line| line.starts_with("WARN") && line.contains("unguarded"))
    );
    redis.restart();
    assert_healed(&closed).await;
    assert_healed(&open).await;
    eventually("the open one locks again", async || {
        status(post(&open, "/", "x")).await;
        redis.calls("set") > 0
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_comes_after_the_application() {
    let mut redis = Redis::start();
    redis.kill();
    let (closed, open, gate) = closed_and_open(redis.default_store());
    assert_both_ways(&closed, &open, &gate).await;
    redis.restart();
    assert_healed(&closed).await;
}

#[tokio::test]
async fn while_redis_refuses_connections_an_unguarded_request_waits_for_nothing() {
    let mut redis = Redis::start();
    let (_closed, open, _gate) = closed_and_open(redis.default_store());
    redis.kill();
    let took = unguarded_after_a_second(&open).await;
    assert!(
        took[25] < Duration::from_millis(20),
        "half of them took {:?}",
        took[25]
    );
    assert!(
        took[49] < STORE_TIMEOUT / 2,
        "the slowest took {:?}",
        took[49]
    );
}

#[tokio::test]
async fn neither_does_it_over_a_pool_of_the_application_but_for_one_in_a_second() {
    let mut redis = Redis::start();
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder().build(manager).await.unwrap();
    let (_closed, open, _gate) = closed_and_open(RedisStore::from_pool(pool));
    redis.kill();
    let took = unguarded_after_a_second(&open).await;
    assert!(
        took[25] < Duration::from_millis(20),
        "half of them took {:?}",
        took[25]
    );
}

/// How long each of 50 requests takes once the store has been away for a second, sorted.
async fn unguarded_after_a_second(open: &Server) -> Vec<Duration> {
    let end = Instant::now() + Duration::from_secs(1);
    while Instant::now() < end {
        assert_unguarded(open).await;
    }
    let kept_alive = client();
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let request = kept_alive.post(open.url("/")).body("x");
        assert_eq!(status(request).await, 201);
        took.push(begun.elapsed());
    }
    took.sort();
    took
}

#[tokio::test]
async fn redis_stopped_where_it_stands() {
    let redis = Redis::start();
    let (closed, open, gate) = closed_and_open(redis.default_store());
    assert_healed(&closed).await;
    assert_healed(&open).await;
    redis.freeze();
    assert_both_ways(&closed, &open, &gate).await;
    redis.thaw();
    assert_healed(&closed).await;
    assert_healed(&open).await;
    redis.wait_until_empty(SOON);
}

#[tokio::test]
async fn redis_that_is_full() {
    let redis = Redis::start();
    let (closed, open, gate) = closed_and_open(redis.default_store());
    assert_healed(&closed).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_both_ways(&closed, &open, &gate).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_healed(&closed).await;
}

#[tokio::test]
async fn a_lock_is_released_by_a_redis_that_is_full() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = gated(lock_on(redis.default_store()).build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn a_wrong_password() {
    log::collect();
    let redis = Redis::with(&["--requirepass", "right"]);
    let with_password = |password: &str| {
        RedisStore::new(format!("redis://:{password}@127.0.0.1:{}/", redis.port())).unwrap()
    };
    let wrong = with_password("open-sesame");
    let err = wrong.ping().await.unwrap_err().to_string();
    assert!(
        err.to_lowercase().contains("auth") || err.contains("WRONGPASS"),
        "{err}"
    );
    let (closed, open, gate) = closed_and_open(wrong);
    assert_both_ways(&closed, &open, &gate).await;

    let none = redis.default_store().ping().await.unwrap_err().to_string();
    assert!(none.to_lowercase().contains("auth"), "{none}");
    let right = with_password("right");
    right.ping().await.unwrap();
    let (closed, ..) = closed_and_open(right);
    assert_healed(&closed).await;
    assert!(log::lines_with("open-sesame").is_empty());
}

#[tokio::test]
async fn user_password_and_database_of_the_url_are_used() {
    let redis = Redis::start();
    let rules = ["ACL", "SETUSER", "ann", "on", ">pass:word", "~*", "+@all"];
    redis.command(&rules);
    let port = redis.port();
    let unix = redis.unix_url();
    for url in [
        format!("redis://ann:pass%3Aword@127.0.0.1:{port}/3"),
        format!("{unix}?user=ann&pass=pass%3Aword&db=3"),
    ] {
        let gate = Gate::closed();
        let lock = lock_on(RedisStore::new(url).unwrap()).build().unwrap();
        let server = gated(lock, &gate);
        let first = gate.occupy(&server).await;
        assert!(redis.keys().is_empty(), "nothing is in database 0");
        let keyspace = redis.command(&["INFO", "keyspace"]);
        assert!(
            format!("{keyspace:?}").contains("db3:keys=1"),
            "{keyspace:?}"
        );
        gate.let_go(1);
        assert_eq!(first.await.unwrap().unwrap().status(), 201);
    }
}

#[tokio::test]
async fn a_claim_that_redis_carries_out_after_it_was_given_up_is_undone() {
    let redis = Redis::start();
    let (closed, open, _gate) = closed_and_open(redis.default_store());
    for server in [&closed, &open] {
        assert_healed(server).await;
        for _ in 0..3 {
            redis.freeze();
            // Waits in the socket of the frozen server, is given up, and carried out later.
            let answer = status(post(server, "/", "x")).await;
            assert!(answer == 503 || answer == 201);
            redis.thaw();
            redis.wait_until_empty(SOON);
            assert_healed(server).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_resets_while_its_claim_is_under_way_leaves_no_lock() {
    let redis = Redis::start();
    let gate = Gate::open();
    let server = gated(lock_on(redis.default_store()).build().unwrap(), &gate);
    assert_healed(&server).await;
    let ran = gate.entered();
    redis.freeze();
    for n in 0..5 {
        let mut wire = Wire::to(server.addr()).await;
        wire.request("POST", &format!("/{n}"), "x").await;
        // The claim has been sent by now, or will never be.
        tokio::time::sleep(Duration::from_millis(20)).await;
        wire.reset();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    redis.thaw();
    eventually("all claims have arrived", async || redis.calls("set") >= 6).await;
    redis.wait_until_empty(SOON);
    assert_eq!(
        gate.entered(),
        ran,
        "no handler ran for a client that was gone"
    );
}

#[tokio::test]
async fn an_answer_waits_for_its_release_no_longer_than_the_store_may_take() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = gated(lock_on(redis.default_store()).build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    redis.freeze();
    let begun = Instant::now();
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    assert!(
        begun.elapsed() < STORE_TIMEOUT + SLACK,
        "{:?}",
        begun.elapsed()
    );
    redis.thaw();
    redis.wait_until_empty(SOON);
}

#[tokio::test]
async fn a_release_that_finds_no_redis_is_retried_until_it_does() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let gate = Gate::closed();
    let server = gated(lock_on(redis.default_store()).build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    redis.kill();
    gate.let_go(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    redis.restart();
    redis.wait_until_empty(SOON);
}

#[tokio::test]
async fn a_flushed_script_costs_nobody_a_lock() {
    let redis = Redis::start();
    let (closed, ..) = closed_and_open(redis.default_store());
    for _ in 0..5 {
        assert_healed(&closed).await;
        redis.command(&["SCRIPT", "FLUSH"]);
    }
    assert_healed(&closed).await;
    assert!(redis.keys().is_empty());
}

#[tokio::test]
async fn a_key_that_holds_something_else_counts_as_locked() {
    let redis = Redis::start();
    let gate = Gate::closed();
    let server = gated(lock_on(redis.default_store()).build().unwrap(), &gate);
    let first = gate.occupy(&server).await;
    let key = redis.keys().pop().unwrap();
    redis.command(&["DEL", &key]);
    redis.command(&["LPUSH", &key, "squatter"]);
    assert_eq!(status(post(&server, "/", "x")).await, 409);
    gate.let_go(1);
    assert_eq!(
        first.await.unwrap().unwrap().status(),
        201,
        "its release harms nobody"
    );
    assert_eq!(redis.keys(), [key]);
}

#[tokio::test]
async fn connections_that_redis_cuts_are_replaced() {
    let redis = Redis::start();
    let (closed, ..) = closed_and_open(redis.default_store());
    for _ in 0..5 {
        assert_healed(&closed).await;
        redis.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }
    assert_healed(&closed).await;
    redis.wait_until_empty(SOON);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connection_is_replaced_within_the_calls_on_it() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port()).await;
    let store = RedisStore::builder(format!("redis://127.0.0.1:{}/", proxy.port()));
    let store = store.timeout(GENEROUS).build().unwrap();
    for round in 1..=3 {
        for _ in 0..3 {
            store.ping().await.unwrap();
        }
        assert_eq!(proxy.opened(), round, "calls share a connection");
        proxy.forget();
        let begun = Instant::now();
        for outcome in join_all((0..10).map(|_| store.ping())).await {
            outcome.unwrap();
        }
        assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_everything_leaves_nothing_that_hangs() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port()).await;
    let store = RedisStore::new(format!("redis://127.0.0.1:{}/", proxy.port())).unwrap();
    for traffic in [Traffic::Swallowed, Traffic::Unanswered] {
        store.ping().await.unwrap();
        proxy.set(traffic);
        // The first on a connection that was good, the others on none.
        for _ in 0..3 {
            let begun = Instant::now();
            store.ping().await.unwrap_err();
            assert!(
                begun.elapsed() < STORE_TIMEOUT + SLACK,
                "{:?}",
                begun.elapsed()
            );
        }
        proxy.set(Traffic::Flows);
        eventually("it is reached again", async || store.ping().await.is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connection_of_a_pool_costs_no_call_and_is_replaced_by_the_pool() {
    let redis = Redis::start();
    // The pool finds out after half a second, by the redis crate's own limit: before or after a third of
    // what a call may take.
    for timeout in [GENEROUS, Duration::from_millis(1200)] {
        let proxy = Proxy::to(redis.port()).await;
        let url = format!("redis://127.0.0.1:{}/", proxy.port());
        let manager = RedisConnectionManager::new(url).unwrap();
        let pool = bb8::Pool::builder().max_size(1).build(manager).await;
        let pool = pool.unwrap();
        let store = RedisStore::pool_builder(pool.clone()).timeout(timeout);
        let store = store.build().unwrap();
        store.ping().await.unwrap();
        proxy.forget();
        let begun = Instant::now();
        store.ping().await.unwrap();
        assert!(begun.elapsed() < timeout, "{:?}", begun.elapsed());
        eventually("the pool has another", async || {
            let connection = pool.get().await;
            let Ok(mut connection) = connection else {
                return false;
            };
            redis::cmd("PING")
                .exec_async(&mut *connection)
                .await
                .is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn a_lock_works_over_a_pool_of_the_application() {
    let mut redis = Redis::start();
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder()
        .max_size(2)
        .build(manager)
        .await
        .unwrap();
    let (closed, open, gate) = closed_and_open(RedisStore::from_pool(pool));
    assert_healed(&closed).await;
    assert!(redis.keys().is_empty());
    redis.kill();
    assert_both_ways(&closed, &open, &gate).await;
    redis.restart();
    assert_healed(&closed).await;
}

#[tokio::test]
async fn a_server_that_is_too_old_is_named_at_first_use() {
    let port = pretend(|command| match command {
        "HELLO" => hello("6.2.14"),
        _ => "+OK\r\n".to_owned(),
    });
    let store = RedisStore::new(format!("redis://127.0.0.1:{port}")).unwrap();
    let err = store.ping().await.unwrap_err().to_string();
    assert!(
        err.contains("7.0 or newer") && err.contains("6.2.14"),
        "{err}"
    );
}

#[tokio::test]
async fn who_is_turned_away_reads_what_redis_says_and_from_where() {
    for (options, user) in [
        (&["--maxclients", "1"][..], ""),
        (&["--maxclients", "1", "--requirepass", "x"], ":x@"),
    ] {
        let redis = Redis::with(options);
        let port = redis.port();
        let url = format!("redis://{user}127.0.0.1:{port}/");
        let only = redis::Client::open(url.clone())
            .unwrap()
            .get_connection()
            .unwrap();
        // The database is chosen by another command before the first that counts.
        for database in [0, 1] {
            let store = RedisStore::new(format!("{url}{database}")).unwrap();
            let err = store.ping().await.unwrap_err().to_string();
            assert!(err.contains("max number of clients reached"), "{err}");
            assert!(err.contains(&format!("127.0.0.1:{port}")), "{err}");
        }
        drop(only);
    }
}

#[tokio::test]
async fn who_is_turned_away_without_a_word_reads_what_it_may_be() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(drop));
    let store = RedisStore::new(format!("redis://127.0.0.1:{port}/")).unwrap();
    let err = store.ping().await.unwrap_err().to_string();
    assert!(
        err.contains("maxclients") && err.contains("rediss://"),
        "{err}"
    );
}

/// Another connection might lead to another master, but not for every call.
#[tokio::test]
async fn a_server_that_refuses_to_write_is_not_met_by_a_connection_for_each_call() {
    let redis = Redis::with(&["--min-replicas-to-write", "1"]);
    let mut ask = redis.connection();
    let mut received = || {
        let stats: String = redis::cmd("INFO").arg("stats").query(&mut ask).unwrap();
        let count = stats
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        count.unwrap().parse::<u128>().unwrap()
    };
    let store = redis.default_store();
    let claim = NewClaim::lock(StoreKey::new("t:", [0; 32]), Duration::from_secs(60));
    let (before, begun) = (received(), Instant::now());
    for _ in 0..500 {
        let err = store.begin(&claim).await.unwrap_err();
        assert!(
            err.to_string().contains("Not enough good replicas"),
            "{err}"
        );
    }
    let opened = received() - before;
    let most = 1 + begun.elapsed().as_millis() / 100;
    assert!(opened <= most, "{opened} connections, not {most}");
}

#[tokio::test]
async fn an_operation_of_two_steps_has_the_time_of_one() {
    let is_first = AtomicBool::new(true);
    let port = pretend(move |command| match command {
        // A second connection is no way out.
        "HELLO" if is_first.swap(false, Ordering::SeqCst) => hello("7.0.0"),
        "HELLO" => String::new(),
        "EVALSHA" => {
            thread::sleep(Duration::from_millis(1500));
            "-NOSCRIPT it was forgotten\r\n".to_owned()
        }
        "EVAL" => String::new(),
        _ => "+OK\r\n".to_owned(),
    });
    let store = RedisStore::builder(format!("redis://127.0.0.1:{port}"))
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let claim = NewClaim::lock(StoreKey::new("t:", [0; 32]), Duration::from_secs(60));
    let begun = Instant::now();
    store.release(&claim.lease()).await.unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn nothing_a_client_sends_is_in_a_key_or_a_log_line() {
    log::collect();
    let redis = Redis::start();
    let gate = Gate::closed();
    let lock = lock_on(redis.default_store()).ttl(Duration::from_millis(200));
    let server = gated(lock.build().unwrap(), &gate);
    let request = || {
        let request = post(&server, "/canary-path?q=canary-query", "canary-body");
        request
            .header("authorization", "canary-credential")
            .header("x", "canary\tx")
    };
    let first = tokio::spawn(request().send());
    gate.wait_for_entered(1).await;
    assert_eq!(status(request()).await, 409);
    let keys = redis.keys();
    assert!(!keys[0].contains("canary"));
    // Its release finds the lock gone, which is worth a line in the log.
    redis.command(&["DEL", &keys[0]]);
    gate.let_go(1);
    first.await.unwrap().unwrap();
    assert!(
        !log::lines_with(&keys[0]).is_empty(),
        "the key's hash is what one can search for"
    );
    assert!(log::lines_with("canary").is_empty());
}
