//! A lost connection is no outage: over every way to Redis, whatever has become of the connections
//! meanwhile, a request is neither refused nor run unguarded while a new connection can be opened.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, web};
use actix_web_idempotency::{
    ApiLock, Idempotency, InFlight, RedisStore, RequestView, StoreFailure,
    dedup::{DedupOutcome, Deduplicator},
    event::FinishOutcome,
    store::{
        Inspect, NewClaim, Store, StoreKey,
        redis::{RedisStoreBuilder, bb8, bb8_redis::RedisConnectionManager},
    },
};
use futures_util::future::join_all;
use reqwest::StatusCode;
use tokio::time::sleep;

use crate::{
    serve,
    support::authority::Authority,
    support::{
        cluster::Cluster,
        connections::{deadpool, manager},
        ear::Ear,
        eventually,
        keys::keys_on,
        proxy::Proxy,
        redis::Redis,
        sentinel::Fleet,
        server::{Server, client},
    },
};

/// Generous: these tests are about connections, not about time limits. A third of it is what a dead
/// connection costs.
const LIMIT: Duration = Duration::from_secs(3);
const HANDLER: Duration = Duration::from_millis(100);
const WORKERS: usize = 2;
/// How many equal requests are sent at once.
const AT_ONCE: usize = 8;
/// What requests are sent to, and what each does while the store is away.
const TARGETS: [&str; 5] = [
    "lock-closed",
    "lock-open",
    "keys-closed",
    "keys-open",
    "keys-wait",
];

/// What ran, by path.
#[derive(Clone, Default)]
struct Runs(Arc<Mutex<HashMap<String, Count>>>);

#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    now: usize,
    /// The most at one time.
    most: usize,
}

impl Runs {
    fn begin(&self, path: &str) {
        let mut counts = self.0.lock().unwrap();
        let count = counts.entry(path.to_owned()).or_default();
        count.all += 1;
        count.now += 1;
        count.most = count.most.max(count.now);
    }

    fn end(&self, path: &str) {
        self.0.lock().unwrap().get_mut(path).unwrap().now -= 1;
    }

    fn count(&self, path: &str) -> Count {
        self.0
            .lock()
            .unwrap()
            .get(path)
            .copied()
            .unwrap_or_default()
    }
}

/// Both middlewares, with both failure policies, on one store.
struct Service {
    store: RedisStore,
    server: Server,
    runs: Runs,
    ear: Ear,
}

impl Service {
    fn on(store: RedisStoreBuilder) -> Self {
        let store = store.timeout(LIMIT).build().unwrap();
        let ear = Ear::default();
        let lock = |silent: bool, prefix: &str| {
            let payload = |req: &RequestView<'_>| req.path().to_owned();
            let lock = ApiLock::builder(store.clone(), payload).key_prefix(prefix);
            let lock = lock.silent(silent).on_event(ear.hears());
            lock.build().unwrap()
        };
        let keys = |policy: StoreFailure, in_flight: InFlight| {
            let keys = keys_on(store.clone()).on_store_failure(policy);
            let keys = keys.on_in_flight(in_flight).on_event(ear.hears());
            keys.build().unwrap()
        };
        let locks = [lock(false, "closed:"), lock(true, "open:")];
        let keys = [
            keys(StoreFailure::FailClosed, InFlight::Reject),
            keys(StoreFailure::FailOpen, InFlight::Reject),
            keys(StoreFailure::FailClosed, InFlight::Wait(LIMIT.into())),
        ];
        let runs = Runs::default();
        Self {
            server: serve(locks, keys, &runs),
            store,
            runs,
            ear,
        }
    }

    fn path(target: &str, name: &str) -> String {
        format!("/{target}/{name}")
    }

    async fn call(&self, path: &str) -> StatusCode {
        let request = client().post(self.server.url(path)).body("x");
        let sent = request.header("idempotency-key", "k").send().await;
        sent.unwrap().status()
    }

    /// Opens a connection in each worker, and the subscription.
    async fn warm_up(&self) {
        for round in 0..WORKERS * 3 {
            let name = format!("warm-{round}");
            join_all(TARGETS.map(|target| self.expect(target, &name))).await;
        }
    }

    /// Sends equal requests at once: none is refused for the store, and one runs at a time.
    async fn expect(&self, target: &str, name: &str) {
        let path = Self::path(target, name);
        let statuses = join_all((0..AT_ONCE).map(|_| self.call(&path))).await;
        let count = self.runs.count(&path);
        for status in &statuses {
            assert!(matches!(status.as_u16(), 201 | 409), "{path}: {statuses:?}");
        }
        assert!(statuses.contains(&StatusCode::CREATED), "{path}");
        assert_eq!(count.most, 1, "{path} ran unguarded: {statuses:?}");
        if target.starts_with("keys") {
            assert_eq!(count.all, 1, "{path} ran twice: {statuses:?}");
        }
    }

    async fn expect_all(&self, name: &str) {
        join_all(TARGETS.map(|target| self.expect(target, name))).await;
        let mut settled = self
            .ear
            .requests()
            .into_iter()
            .filter_map(|event| event.finish);
        assert!(
            settled.all(|settled| settled == FinishOutcome::Confirmed),
            "{name}"
        );
        let incidents = self.ear.incidents();
        assert!(incidents.is_empty(), "{name}: {incidents:?}");
    }

    /// Loses the connections while handlers run: releases and completions are not hindered either.
    async fn expect_all_while(&self, name: &str, lose: impl AsyncFn()) {
        let begun = async {
            eventually("all run", async || {
                let mut paths = TARGETS.iter().map(|target| Self::path(target, name));
                paths.all(|path| self.runs.count(&path).all > 0)
            })
            .await;
            lose().await;
        };
        tokio::join!(self.expect_all(name), begun);
        // Nothing is left locked.
        for target in ["lock-closed", "lock-open"] {
            assert_eq!(self.call(&Self::path(target, name)).await, 201);
        }
    }
}

fn serve(locks: [ApiLock; 2], keys: [Idempotency; 3], runs: &Runs) -> Server {
    let runs = runs.clone();
    serve!(WORKERS, {
        let [lock_closed, lock_open] = locks.clone();
        let [keys_closed, keys_open, keys_wait] = keys.clone();
        let handled = || web::to(handler);
        App::new()
            .app_data(web::Data::new(runs.clone()))
            .service(
                web::scope("/lock-closed")
                    .wrap(lock_closed)
                    .default_service(handled()),
            )
            .service(
                web::scope("/lock-open")
                    .wrap(lock_open)
                    .default_service(handled()),
            )
            .service(
                web::scope("/keys-closed")
                    .wrap(keys_closed)
                    .default_service(handled()),
            )
            .service(
                web::scope("/keys-open")
                    .wrap(keys_open)
                    .default_service(handled()),
            )
            .service(
                web::scope("/keys-wait")
                    .wrap(keys_wait)
                    .default_service(handled()),
            )
    })
}

async fn handler(req: HttpRequest, runs: web::Data<Runs>) -> HttpResponse {
    runs.begin(req.path());
    sleep(HANDLER).await;
    runs.end(req.path());
    HttpResponse::Created().body("done")
}

/// What becomes of quiet connections everywhere: the server closes them. Its replicas, and the
/// connections between servers, stay.
fn close_all(server: &Redis) {
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
}

/// Loses all connections while nothing happens, and while handlers run.
async fn survives(store: RedisStoreBuilder, close: impl Fn()) {
    let service = Service::on(store);
    service.warm_up().await;
    for n in 0..3 {
        close();
        service.expect_all(&format!("quiet-{n}")).await;
    }
    service.expect_all_while("running", async || close()).await;
    background_and_inspection_survive(&service, close).await;
}

/// The same for calls that no middleware makes.
async fn background_and_inspection_survive(service: &Service, close: impl Fn()) {
    let store = &service.store;
    let deduplicator = Deduplicator::builder(store.clone()).build().unwrap();
    close();
    let DedupOutcome::Execute(run) = deduplicator.claim("once", None).await.unwrap() else {
        panic!("nobody else claims it");
    };
    close();
    run.fencing_token().await.unwrap();
    close();
    assert_eq!(run.complete("done").await, FinishOutcome::Confirmed);
    let claim = NewClaim::lock(StoreKey::new("inspect:", [7; 32]), Duration::from_secs(60));
    close();
    store.begin(&claim).await.unwrap();
    close();
    assert!(store.look_up(&claim.key).await.unwrap().is_some());
    close();
    assert!(store.force_release(&claim.key).await.unwrap());
    store.begin(&claim).await.unwrap();
    close();
    assert!(store.delete(&claim.key).await.unwrap());
    close();
    store.ping().await.unwrap();
    close();
    store.check("check:").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_tcp_connections_cost_no_request() {
    let redis = Redis::start();
    survives(RedisStore::builder(redis.url()), || close_all(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_unix_connections_cost_no_request() {
    let redis = Redis::start();
    survives(RedisStore::builder(redis.unix_url()), || close_all(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_tls_connections_cost_no_request() {
    let authority = Authority::new();
    let redis = authority.server();
    let store = RedisStore::builder(redis.tls_url());
    let store = store.certificate_authority(authority.pem("ca.crt"));
    survives(store, || close_all(&redis)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_through_sentinel_cost_no_request() {
    let fleet = Fleet::start().await;
    survives(fleet.builder(), || close_all(&fleet.master)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_to_a_cluster_cost_no_request() {
    let cluster = Cluster::start().await;
    survives(cluster.builder(), || cluster.all().for_each(close_all)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_of_a_pool_cost_no_request() {
    for is_tested in [true, false] {
        let redis = Redis::start();
        let manager = RedisConnectionManager::new(redis.url()).unwrap();
        let pool = bb8::Pool::builder().test_on_check_out(is_tested);
        let pool = pool.max_size(2).build_unchecked(manager);
        survives(RedisStore::pool_builder(pool), || close_all(&redis)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_of_a_deadpool_and_of_a_manager_cost_no_request() {
    let redis = Redis::start();
    let pool = deadpool(&redis);
    survives(RedisStore::connections_builder(pool), || close_all(&redis)).await;
    let redis = Redis::start();
    let manager = manager(&redis).await;
    survives(RedisStore::connections_builder(manager), || {
        close_all(&redis)
    })
    .await;
}

/// The guard of such a claim looks for its other copy after it has freed the key.
#[tokio::test]
async fn claim_whose_connection_was_lost_is_noted_as_sent_again() {
    let redis = Redis::start();
    let store = RedisStore::builder(redis.url()).timeout(LIMIT);
    let store = store.build().unwrap();
    let lock = |n| NewClaim::lock(StoreKey::new("again:", [n; 32]), Duration::from_secs(60));
    let keyed = |n| NewClaim {
        grace: Duration::from_secs(60),
        ..lock(n)
    };
    for (before, after) in [(lock(0), lock(1)), (keyed(2), keyed(3))] {
        store.begin(&before).await.unwrap();
        assert!(!before.notes.was_sent_again());
        close_all(&redis);
        store.begin(&after).await.unwrap();
        assert!(after.notes.was_sent_again(), "{after:?}");
    }
}

/// A server that closes what is quiet, as managed ones and the proxies before them do.
#[tokio::test(flavor = "multi_thread")]
async fn connections_closed_by_the_timeout_of_the_server_cost_no_request() {
    let redis = Redis::with(&["--timeout", "1"]);
    let service = Service::on(RedisStore::builder(redis.url()));
    service.warm_up().await;
    let others = || -> usize {
        let clients: String = actix_web_idempotency::store::redis::redis::from_redis_value(
            redis.command(&["CLIENT", "LIST"]),
        )
        .unwrap();
        clients
            .lines()
            .filter(|line| !line.contains("cmd=client"))
            .count()
    };
    eventually("all are closed but the subscription", async || {
        others() <= 1
    })
    .await;
    service.expect_all("after").await;
}

/// What the system has pending for the connections to a port: 2 stands for a keepalive.
#[cfg(target_os = "linux")]
fn timers_to(port: u16) -> Vec<u8> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let to = format!("0100007F:{port:04X}");
    let timers = sockets.lines().filter_map(|line| {
        let mut columns = line.split_whitespace().skip(2);
        // 01: it is established.
        (columns.next()? == to && columns.next()? == "01").then_some(())?;
        // Behind the queues comes the timer, and when it ends.
        let (timer, _) = columns.nth(1)?.split_once(':')?;
        u8::from_str_radix(timer, 16).ok()
    });
    timers.collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_are_kept_alive_unless_that_is_switched_off() {
    let redis = Redis::start();
    for (keepalive, timer) in [(Some(Duration::from_secs(30)), 2), (None, 0)] {
        // The first is the default.
        let mut store = RedisStore::builder(redis.url()).timeout(LIMIT);
        if keepalive.is_none() {
            store = store.tcp_keepalive(keepalive);
        }
        let store = store.build().unwrap();
        store.ping().await.unwrap();
        // Until then the timer is that of what has been sent.
        eventually("all has been acknowledged", async || {
            timers_to(redis.port()) == [timer]
        })
        .await;
        drop(store);
        eventually("it is closed", async || timers_to(redis.port()).is_empty()).await;
    }
}

/// The network forgets the connections without a word, and lets new ones through.
async fn forgotten(store: RedisStoreBuilder, proxy: &Proxy) {
    let service = Service::on(store);
    service.warm_up().await;
    proxy.forget();
    let begun = Instant::now();
    service.expect_all("quiet").await;
    assert!(begun.elapsed() < LIMIT * 2, "{:?}", begun.elapsed());
    service
        .expect_all_while("running", async || proxy.forget())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_tcp_connections_cost_no_request() {
    let redis = Redis::start();
    let proxy = Proxy::to(redis.port()).await;
    let url = format!("redis://127.0.0.1:{}/", proxy.port());
    forgotten(RedisStore::builder(url), &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_tls_connections_cost_no_request() {
    let authority = Authority::new();
    let redis = authority.server();
    let proxy = Proxy::to(redis.known_port()).await;
    let url = format!("rediss://127.0.0.1:{}/", proxy.port());
    let store = RedisStore::builder(url).certificate_authority(authority.pem("ca.crt"));
    forgotten(store, &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_connections_of_a_pool_cost_no_request() {
    for is_tested in [true, false] {
        let redis = Redis::start();
        let proxy = Proxy::to(redis.port()).await;
        let url = format!("redis://127.0.0.1:{}/", proxy.port());
        let manager = RedisConnectionManager::new(url).unwrap();
        let pool = bb8::Pool::builder().test_on_check_out(is_tested);
        let pool = pool.max_size(2).build_unchecked(manager);
        forgotten(RedisStore::pool_builder(pool), &proxy).await;
    }
}
