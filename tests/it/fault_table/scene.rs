use std::{collections::BTreeSet, time::Instant};

use actix_idempotency::{
    ApiLock, Idempotency, InFlight, RedisStore, StoreFailure, bb8,
    bb8_redis::RedisConnectionManager, redis,
};
use actix_web::{App, HttpRequest, HttpResponse, web};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Duration, sleep};

use super::{
    HANDLER, LEASE, SLACK, STORE_TIMEOUT, WAIT,
    answers::Answer,
    fault::{Fault, Held, OTHERS, Reach},
    runs::Runs,
    table::{Resumes, Row},
};
use crate::{
    serve,
    support::{
        keys::{REPLAYED, keys_on},
        locks::lock_on,
        proxy::Proxy,
        redis::Redis,
        server::{Server, client},
    },
};

/// What requests are sent to: a middleware, and what it does while the store is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    LockClosed,
    LockOpen,
    KeysClosed,
    KeysOpen,
    /// Fails closed too; requests wait for a key in flight.
    KeysWait,
}

impl Target {
    pub(super) const ALL: [Self; 5] = [
        Self::LockClosed,
        Self::LockOpen,
        Self::KeysClosed,
        Self::KeysOpen,
        Self::KeysWait,
    ];

    pub(super) fn fails_open(self) -> bool {
        matches!(self, Self::LockOpen | Self::KeysOpen)
    }

    pub(super) fn replays(self) -> bool {
        !matches!(self, Self::LockClosed | Self::LockOpen)
    }

    pub(super) fn waits(self) -> bool {
        self == Self::KeysWait
    }

    /// What its paths and its stored keys begin with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LockClosed => "lock-closed",
            Self::LockOpen => "lock-open",
            Self::KeysClosed => "keys-closed",
            Self::KeysOpen => "keys-open",
            Self::KeysWait => "keys-wait",
        }
    }

    /// Whose a path is.
    pub(super) fn of(path: &str) -> Self {
        let name = path.split('/').nth(1).unwrap();
        Self::ALL
            .into_iter()
            .find(|target| target.name() == name)
            .unwrap()
    }
}

/// Both middlewares with all policies, on one store.
#[derive(Clone)]
pub(super) struct Guards {
    locks: [ApiLock; 2],
    keys: [Idempotency; 3],
}

impl Guards {
    fn on(store: &RedisStore) -> Self {
        let prefix = |target: Target| format!("{}:", target.name());
        let lock = |target: Target| {
            let lock = lock_on(store.clone()).ttl(LEASE).key_prefix(prefix(target));
            lock.silent(target.fails_open()).build().unwrap()
        };
        let keys = |target: Target| {
            let keys = keys_on(store.clone())
                .lease(LEASE)
                .key_prefix(prefix(target));
            let policy = match target.fails_open() {
                false => StoreFailure::FailClosed,
                true => StoreFailure::FailOpen,
            };
            let in_flight = match target.waits() {
                false => InFlight::Reject,
                true => InFlight::Wait(WAIT),
            };
            let keys = keys.on_store_failure(policy).on_in_flight(in_flight);
            keys.build().unwrap()
        };
        Self {
            locks: [Target::LockClosed, Target::LockOpen].map(lock),
            keys: [Target::KeysClosed, Target::KeysOpen, Target::KeysWait].map(keys),
        }
    }

    pub(super) fn serve(&self, runs: &Runs) -> Server {
        let (guards, runs) = (self.clone(), runs.clone());
        serve!(2, {
            let [closed, open] = guards.locks.clone();
            let [keys_closed, keys_open, keys_wait] = guards.keys.clone();
            let scope = |target: Target| web::scope(&format!("/{}", target.name()));
            App::new()
                .app_data(web::Data::new(runs.clone()))
                .service(
                    scope(Target::LockClosed)
                        .wrap(closed)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::LockOpen)
                        .wrap(open)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysClosed)
                        .wrap(keys_closed)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysOpen)
                        .wrap(keys_open)
                        .default_service(web::to(handler)),
                )
                .service(
                    scope(Target::KeysWait)
                        .wrap(keys_wait)
                        .default_service(web::to(handler)),
                )
        })
    }
}

async fn handler(req: HttpRequest, runs: web::Data<Runs>) -> HttpResponse {
    let running = runs.begin(req.path());
    sleep(HANDLER).await;
    running.is_answered();
    HttpResponse::Created().body("done")
}

/// The number of what is first sent after a fault.
const NEW: usize = 2000;

/// Sends requests to one server.
#[derive(Clone)]
pub(super) struct Caller {
    client: reqwest::Client,
    server: String,
}

impl Caller {
    pub(super) fn to(server: &Server) -> Self {
        Self {
            client: client(),
            server: server.url(""),
        }
    }

    pub(super) fn request(&self, target: Target, number: usize) -> reqwest::RequestBuilder {
        let (server, name) = (&self.server, target.name());
        let request = self.client.post(format!("{server}/{name}/{number}"));
        request.header("idempotency-key", "k").body("x")
    }

    pub(super) async fn call(&self, target: Target, number: usize) -> Answer {
        let sent = Instant::now();
        let answer = self.request(target, number).send().await.unwrap();
        let status = answer.status().as_u16();
        let is_replay = answer.headers().contains_key(REPLAYED);
        let body = answer.text().await.unwrap();
        let problem = (status != 201).then(|| {
            let problem: Value = serde_json::from_str(&body).unwrap();
            let uri = problem["type"].as_str().unwrap();
            uri.rsplit('#').next().unwrap().to_owned()
        });
        Answer {
            target,
            number,
            sent,
            came: Instant::now(),
            status,
            problem,
            is_replay,
        }
    }
}

/// One fault's own Redis, the way to it, and a server of the application.
pub(super) struct Scene {
    pub(super) redis: Redis,
    pub(super) proxy: Proxy,
    pub(super) pool: bb8::Pool<RedisConnectionManager>,
    pub(super) guards: Guards,
    pub(super) runs: Runs,
    pub(super) caller: Caller,
    pub(super) held: Held,
    _server: Server,
}

impl Scene {
    pub(super) async fn start(fault: Fault) -> Self {
        let redis = Redis::with(fault.options());
        let proxy = Proxy::to(redis.port()).await;
        let manager = RedisConnectionManager::new(redis.url()).unwrap();
        let pool = bb8::Pool::builder().max_size(2).build_unchecked(manager);
        let connect = |port| RedisStore::builder(format!("redis://127.0.0.1:{port}/"));
        let store = match fault.reach() {
            Reach::Direct => connect(redis.port()),
            Reach::Proxy => connect(proxy.port()),
            Reach::Pool => RedisStore::pool_builder(pool.clone()),
            Reach::Password => {
                RedisStore::builder(format!("redis://ann:old@127.0.0.1:{}/", redis.port()))
            }
        };
        if let Reach::Password = fault.reach() {
            let rules = ["ACL", "SETUSER", "ann", "on", ">old", "~*", "&*", "+@all"];
            redis.command(&rules);
        }
        let guards = Guards::on(&store.timeout(STORE_TIMEOUT).build().unwrap());
        let runs = Runs::default();
        let server = guards.serve(&runs);
        Self {
            caller: Caller::to(&server),
            _server: server,
            redis,
            proxy,
            pool,
            guards,
            runs,
            held: Held::default(),
        }
    }

    pub(super) async fn warm_up(&self) {
        let all = Target::ALL.map(|target| self.is_served(target, 0, "at first"));
        join_all(all).await;
    }

    /// The service has resumed as it is told, all keys can be used again, answers are recorded, and
    /// nothing is left locked.
    pub(super) async fn resumes(&self, row: &Row, used: BTreeSet<(Target, usize)>) {
        let fault = row.fault;
        if row.resumes != Resumes::Soon {
            for target in Target::ALL {
                self.is_served_at_once(target, fault).await;
            }
        }
        let what = format!("after {fault:?}");
        let used = used
            .into_iter()
            .chain(Target::ALL.map(|target| (target, OTHERS)));
        join_all(used.map(|(target, number)| self.is_served(target, number, &what))).await;
        for target in Target::ALL {
            if target.replays() {
                let is_replayed = || async { self.caller.call(target, 0).await.is_replay };
                soon(target, &format!("replayed after {fault:?}"), is_replayed).await;
            } else {
                let is_free = || async { self.keys_of(target).is_empty() };
                soon(target, &format!("free after {fault:?}"), is_free).await;
            }
        }
    }

    async fn is_served_at_once(&self, target: Target, fault: Fault) {
        // One call for each worker to find out, and one to be served.
        for _ in 0..3 {
            if self.caller.call(target, NEW).await.status == 201 {
                return;
            }
        }
        panic!("not served at once after {fault:?}: {target:?}");
    }

    /// The stored keys of a target.
    pub(super) fn keys_of(&self, target: Target) -> Vec<String> {
        let pattern = format!("{}:*", target.name());
        redis::from_redis_value(self.redis.command(&["KEYS", &pattern])).unwrap()
    }

    async fn is_served(&self, target: Target, number: usize, what: &str) {
        let is_served = || async { self.caller.call(target, number).await.status == 201 };
        soon(target, &format!("served {what}"), is_served).await;
    }
}

/// Waits for what a lease bounds.
async fn soon<F>(target: Target, what: &str, holds: impl Fn() -> F)
where
    F: Future<Output = bool>,
{
    let polls = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LEASE + SLACK, polls)
        .await
        .unwrap_or_else(|_| panic!("never {what}: {target:?}"));
}
