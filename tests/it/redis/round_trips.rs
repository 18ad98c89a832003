//! What each path costs Redis, counted by Redis.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{Claim, Idempotency, InFlight, Scope};

use crate::{
    serve,
    support::{
        eventually,
        gate::Gate,
        keys::{answer, keys_on, numbered, pay},
        problems::{ProblemKind, assert_refused},
        redis::Redis,
    },
};

/// All commands that this crate sends. What a script does is counted as well, so a completion is an
/// `evalsha` and a `set`.
const COMMANDS: [&str; 9] = [
    "set",
    "evalsha",
    "eval",
    "ping",
    "hello",
    "ssubscribe",
    "sunsubscribe",
    "scan",
    "pttl",
];

/// Counts what Redis has carried out since.
struct Counter<'a> {
    redis: &'a Redis,
    before: [u64; COMMANDS.len()],
}

impl<'a> Counter<'a> {
    fn new(redis: &'a Redis) -> Self {
        let before = COMMANDS.map(|name| redis.calls(name));
        Self { redis, before }
    }

    fn since(&self, name: &str) -> u64 {
        let at = COMMANDS.iter().position(|known| *known == name).unwrap();
        self.redis.calls(name) - self.before[at]
    }

    /// Asserts how many claims, completions and other scripts were sent, and that nothing else was.
    fn is(&self, what: &str, claims: u64, completions: u64, others: u64) {
        assert_eq!(self.since("set"), claims + completions, "{what}");
        assert_eq!(self.since("evalsha"), completions + others, "{what}");
        for other in ["eval", "ping", "hello", "ssubscribe", "scan"] {
            assert_eq!(self.since(other), 0, "{what}: {other}");
        }
    }
}

#[tokio::test]
async fn every_path_costs_what_the_documentation_says() {
    let redis = Redis::start();
    let keys = keys_on(redis.store()).build().unwrap();
    let gate = Gate::closed();
    let server = {
        let (keys, gate) = (keys.clone(), gate.clone());
        // One worker, whose connection is opened by the first request.
        serve!(
            App::new()
                .wrap(keys.clone())
                .app_data(web::Data::new(gate.clone()))
                .route(
                    "/",
                    web::post().to(
                        async |gate: web::Data<Gate>, claim: Claim, body: web::Bytes| {
                            if body == "fence" {
                                claim.fencing_token().await.unwrap();
                            }
                            gate.pass().await;
                            HttpResponse::Created().finish()
                        }
                    )
                )
        )
    };
    gate.let_go(2);
    for (key, body) in [("warm", "x"), ("warmer", "fence")] {
        assert_eq!(answer(pay(&server, key, body)).await.status, 201);
    }
    // The script that refuses has to be known as well.
    let first = tokio::spawn(answer(pay(&server, "in-flight", "x")));
    gate.wait_for_entered(3).await;
    assert_refused(pay(&server, "in-flight", "x"), ProblemKind::InFlight).await;

    let count = Counter::new(&redis);
    assert_refused(pay(&server, "in-flight", "x"), ProblemKind::InFlight).await;
    count.is("a refused duplicate", 1, 0, 1);

    let count = Counter::new(&redis);
    assert_refused(pay(&server, "in-flight", "other"), ProblemKind::KeyReused).await;
    count.is("another request while it runs", 1, 0, 0);

    let count = Counter::new(&redis);
    gate.let_go(1);
    assert_eq!(first.await.unwrap().status, 201);
    count.is("a completion", 0, 1, 0);

    let count = Counter::new(&redis);
    gate.let_go(1);
    assert_eq!(answer(pay(&server, "new", "x")).await.status, 201);
    count.is("a first run", 1, 1, 0);

    let count = Counter::new(&redis);
    gate.let_go(1);
    assert_eq!(answer(pay(&server, "fenced", "fence")).await.status, 201);
    count.is("one with a fence", 1, 1, 1);

    let count = Counter::new(&redis);
    assert!(answer(pay(&server, "new", "x")).await.is_replay);
    count.is("a replay", 1, 0, 0);

    let count = Counter::new(&redis);
    assert_refused(pay(&server, "new", "other"), ProblemKind::KeyReused).await;
    count.is("another request", 1, 0, 0);

    let count = Counter::new(&redis);
    assert_refused(pay(&server, "", "x"), ProblemKind::KeyInvalid).await;
    count.is("a key that is none", 0, 0, 0);
}

#[tokio::test]
async fn who_waits_costs_one_more_and_the_process_a_subscription_and_a_comparison() {
    let redis = Redis::start();
    let keys = Idempotency::builder(redis.store(), Scope::global())
        .on_in_flight(InFlight::Wait(Duration::from_secs(10).into()))
        .build()
        .unwrap();
    let gate = Gate::closed();
    let server = numbered(&keys, &gate);
    // Warm: both workers' connections, all scripts, the subscription's connection.
    for round in 0..2 {
        let key = format!("k{round}");
        let first = tokio::spawn(answer(pay(&server, &key, "x")));
        gate.wait_for_entered(round + 1).await;
        let before = Counter::new(&redis);
        let waits: Vec<_> = (0..20)
            .map(|_| tokio::spawn(answer(pay(&server, &key, "x"))))
            .collect();
        // Each has claimed, and asked how long the first has; one has compared for all.
        eventually("all wait", async || {
            redis.calls("pttl") >= (round as u64 + 1) * 21
        })
        .await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (claims, subscribed) = (before.since("set"), before.since("ssubscribe"));
        assert_eq!(subscribed, 1);
        assert_eq!((claims, before.since("pttl")), (20, 21));
        gate.let_go(1);
        assert_eq!(first.await.unwrap().status, 201);
        for wait in waits {
            assert!(wait.await.unwrap().is_replay);
        }
        // Each claims once more, which brings the answer; and the first has completed.
        assert_eq!(before.since("set") - claims, 20 + 1);
        assert_eq!(before.since("ping"), 0);
    }
}
