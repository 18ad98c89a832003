//! Many equal requests at once, and many one after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, rt, web};
use actix_web_idempotency::{
    RedisStore,
    store::{
        Cursor, Inspect, NewClaim, Store, StoreErrorKind, StoreKey,
        redis::{bb8, bb8_redis::RedisConnectionManager, redis},
    },
};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::{
    serve,
    support::{
        GENEROUS,
        backend::{Backend, each_store},
        cluster::Cluster,
        eventually,
        gate::{Gate, gated, gated_on},
        locks::lock_on,
        redis::Redis,
        server::client,
    },
};

each_store!(of_a_hundred_equal_requests_on_two_workers_one_runs);
async fn of_a_hundred_equal_requests_on_two_workers_one_runs(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let gate = Gate::closed();
    let server = gated_on(2, lock, &gate);
    let refused = Arc::new(AtomicUsize::new(0));
    let requests = (0..100).map(|_| {
        // A client each, so that each has a connection of its own, spread over the workers.
        let request = client().post(server.url("/orders")).body("tea").send();
        let refused = Arc::clone(&refused);
        tokio::spawn(async move {
            let status = request.await.unwrap().status().as_u16();
            if status == 409 {
                refused.fetch_add(1, Ordering::SeqCst);
            }
            status
        })
    });
    let requests: Vec<_> = requests.collect();
    eventually("all others are refused", async || {
        refused.load(Ordering::SeqCst) == 99
    })
    .await;
    assert_eq!(gate.entered(), 1);
    gate.let_go(1);
    let mut statuses: Vec<_> = join_all(requests)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    statuses.sort();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409));
}

each_store!(a_thousand_repeats_never_meet_their_own_lock);
async fn a_thousand_repeats_never_meet_their_own_lock(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let handler = async || {
        rt::task::yield_now().await;
        HttpResponse::Ok().body("done")
    };
    // Two servers with two workers each stand for two processes behind a balancer; with the
    // memory store they share it.
    let servers = [lock.clone(), lock].map(|lock| {
        serve!(
            2,
            App::new()
                .wrap(lock.clone())
                .default_service(web::to(handler))
        )
    });
    let kept_alive = client();
    for n in 0..1000 {
        // On the same connection, on a new one, on the other server.
        let client = if n % 3 == 0 {
            client()
        } else {
            kept_alive.clone()
        };
        let server = &servers[n % 2];
        let answer = client
            .post(server.url("/orders"))
            .body("tea")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "repeat {n}");
        assert_eq!(answer.text().await.unwrap(), "done");
    }
}

#[tokio::test]
async fn a_lock_costs_redis_one_set_and_one_script_and_a_refusal_one_set() {
    let redis = Redis::start();
    let pings = redis.calls("ping");
    let gate = Gate::closed();
    let lock = lock_on(redis.store()).build().unwrap();
    let server = gated(lock, &gate);
    let client = client();
    let send = || client.post(server.url("/")).body("x").send();
    let first = tokio::spawn(send());
    gate.wait_for_entered(1).await;
    for _ in 0..10 {
        assert_eq!(send().await.unwrap().status(), 409);
    }
    gate.let_go(101);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    for _ in 0..100 {
        assert_eq!(send().await.unwrap().status(), 201);
    }
    assert_eq!(redis.calls("set"), 111);
    // The first call of a new script comes back as unknown and is sent again as text.
    assert_eq!(redis.calls("evalsha"), 101);
    assert_eq!(redis.calls("eval"), 1);
    assert_eq!(redis.calls("ping"), pings);
    assert_eq!(
        redis.calls("hello"),
        1,
        "one connection, asked for its version once"
    );
}

#[tokio::test]
async fn when_too_many_wait_for_redis_the_next_fail_at_once() {
    let redis = Redis::start();
    let store = RedisStore::builder(redis.url())
        .max_in_flight(3)
        .build()
        .unwrap();
    store.ping().await.unwrap();
    redis.freeze();
    let calls = (0..20).map(|n| {
        let claim = NewClaim::lock(StoreKey::new("t:", [n; 32]), Duration::from_secs(60));
        let store = &store;
        async move {
            let begun = Instant::now();
            let err = store.begin(&claim).await.unwrap_err();
            (err.kind(), err.may_have_run(), begun.elapsed())
        }
    });
    let calls = join_all(calls).await;
    redis.thaw();
    let (waited, refused): (Vec<_>, Vec<_>) = calls
        .into_iter()
        .partition(|(kind, ..)| *kind == StoreErrorKind::Timeout);
    assert_eq!((waited.len(), refused.len()), (3, 17));
    for (_, may_have_run, took) in refused {
        assert!(!may_have_run);
        assert!(took < Duration::from_millis(400), "{took:?}");
    }
    eventually("there is room again", async || store.ping().await.is_ok()).await;
}

#[tokio::test]
async fn calls_that_are_given_up_leave_room_for_others() {
    let redis = Redis::start();
    let store = RedisStore::builder(redis.url()).timeout(GENEROUS);
    let store = store.max_in_flight(3).build().unwrap();
    store.ping().await.unwrap();
    redis.freeze();
    for _again in 0..5 {
        let calls = (0..3).map(|_| timeout(Duration::from_millis(20), store.ping()));
        for given_up in join_all(calls).await {
            // On a busy machine the store may have been faster.
            if let Ok(err) = given_up.map(Result::unwrap_err) {
                assert!(!err.to_string().contains("are waiting"), "{err}");
            }
        }
    }
    redis.thaw();
}

/// Whatever the call is, and however many servers it is for.
#[tokio::test]
async fn when_too_many_wait_for_a_cluster_the_next_fail_at_once() {
    let cluster = Cluster::start().await;
    let urls = cluster.primaries.iter().map(Redis::url);
    let store = RedisStore::cluster(urls).max_in_flight(3).build().unwrap();
    store.check("t:").await.unwrap();
    for n in 0..100 {
        let claim = NewClaim::lock(StoreKey::new("t:", [n; 32]), Duration::from_secs(60));
        store.begin(&claim).await.unwrap();
    }
    let most = 100.try_into().unwrap();
    let page = store.list("t:", &Cursor::start(), most).await.unwrap();
    assert!(page.entries.len() > 3, "a page is one call");

    let start = Cursor::start();
    let ping = async || store.ping().await.unwrap_err();
    let list = async || store.list("t:", &start, most).await.unwrap_err();
    for is_list in [false, true] {
        for primary in &cluster.primaries {
            primary.freeze();
        }
        let errors = match is_list {
            false => join_all((0..20).map(|_| ping())).await,
            true => join_all((0..20).map(|_| list())).await,
        };
        for primary in &cluster.primaries {
            primary.thaw();
        }
        let refused = errors.iter().map(ToString::to_string);
        let refused = refused.filter(|err| err.contains("3 calls are waiting"));
        assert_eq!(refused.count(), 17, "{errors:?}");
        eventually("there is room again", async || store.ping().await.is_ok()).await;
    }
}

/// Whatever the application does with its pool: requests go on, over one connection more.
#[tokio::test]
async fn pool_that_lends_nothing_costs_one_connection_and_no_call() {
    let redis = Redis::start();
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder().max_size(1).build(manager).await;
    let pool = pool.unwrap();
    let store = RedisStore::pool_builder(pool.clone())
        .timeout(GENEROUS)
        .build()
        .unwrap();
    store.ping().await.unwrap();
    let connections = || -> usize {
        let list: String = redis::from_redis_value(redis.command(&["CLIENT", "LIST"])).unwrap();
        list.lines().count()
    };
    let before = connections();
    let only = pool.get().await.unwrap();
    for _ in 0..3 {
        for outcome in join_all((0..20).map(|_| store.ping())).await {
            outcome.unwrap();
        }
    }
    assert_eq!(connections(), before + 1);
    drop(only);
    eventually("it is closed again", async || {
        store.ping().await.unwrap();
        connections() == before
    })
    .await;
}

/// One call is left to wait for the pool, and counts; the others do not wait for it.
#[tokio::test]
async fn calls_wait_in_bounded_number_for_a_pool_that_cannot_connect() {
    let redis = Redis::start();
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder().max_size(1).build(manager).await;
    let store = RedisStore::pool_builder(pool.unwrap())
        .max_in_flight(3)
        .build()
        .unwrap();
    store.ping().await.unwrap();
    redis.freeze();
    let errors = join_all((0..20).map(|_| store.ping())).await;
    let errors = errors
        .into_iter()
        .map(|ended| ended.unwrap_err().to_string());
    let refused = errors.filter(|err| err.contains("3 calls are waiting"));
    assert_eq!(refused.count(), 17);
    redis.thaw();
    eventually("there is room again", async || store.ping().await.is_ok()).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_is_met_by_one_connection_per_worker() {
    let mut redis = Redis::start();
    let lock = lock_on(redis.store()).build().unwrap();
    let server = gated_on(2, lock, &Gate::open());
    let statuses = async || {
        let requests = (0..100).map(|n| {
            let request = client().post(server.url(&format!("/{n}"))).body("tea");
            async move { request.send().await.unwrap().status().as_u16() }
        });
        join_all(requests).await
    };
    assert!(statuses().await.iter().all(|status| *status == 201));
    redis.kill();
    assert!(statuses().await.iter().all(|status| *status == 503));
    redis.restart();
    eventually("the service resumes", async || {
        statuses().await.iter().all(|status| *status == 201)
    })
    .await;
    let stats = redis.command(&["INFO", "stats"]);
    let stats: String = redis::from_redis_value(stats).unwrap();
    let received = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    let received: u32 = received.unwrap().parse().unwrap();
    // One of each worker, one of the background for what was cut off, and those of this test: that
    // it is ready, and this question.
    assert!(received <= 5, "{received} connections");
}
