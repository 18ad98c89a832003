//! `Deduplicator`, on each store.

use std::time::Duration;

use actix_web_idempotency::{
    ExpiredLease, Fingerprint, MemoryStore,
    dedup::{DedupOutcome, Deduplicator, DeduplicatorBuilder, Execution, ExecutionOutcome},
    event::FinishOutcome,
};
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use crate::support::{
    backend::{Backend, each_store},
    eventually,
    redis::Redis,
};

const LEASE: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(10);

fn fingerprint(text: &str) -> Option<Fingerprint> {
    Some(Fingerprint::digest(text))
}

async fn proceed(deduplicator: &Deduplicator, key: &str) -> Execution {
    match deduplicator.claim(key, fingerprint("x")).await.unwrap() {
        DedupOutcome::Execute(run) => run,
        other => panic!("{other:?}"),
    }
}

/// What a claim comes to once the lease of a dead owner has lapsed by the store's clock too, which is
/// a little after the owner had to take it for lost.
async fn claim_after_the_lease(deduplicator: &Deduplicator, key: &str) -> DedupOutcome {
    let lapsed = async {
        loop {
            match deduplicator.claim(key, fingerprint("x")).await.unwrap() {
                DedupOutcome::InFlight => sleep(Duration::from_millis(2)).await,
                claimed => return claimed,
            }
        }
    };
    timeout(LIMIT, lapsed).await.expect("a lease ends")
}

each_store!(work_is_done_once_and_its_result_is_told);
async fn work_is_done_once_and_its_result_is_told(backend: &Backend) {
    let deduplicator = backend.deduplicator().build().unwrap();
    let run = proceed(&deduplicator, "a").await;
    assert_eq!(run.attempt().get(), 1);
    assert!(!run.is_lost());
    assert!(matches!(
        deduplicator.claim("a", fingerprint("x")).await.unwrap(),
        DedupOutcome::InFlight
    ));
    assert!(matches!(
        deduplicator.claim("a", fingerprint("y")).await.unwrap(),
        DedupOutcome::Mismatch
    ));
    assert!(matches!(
        deduplicator.claim("a", None).await.unwrap(),
        DedupOutcome::Mismatch
    ));
    assert_eq!(run.complete("result").await, FinishOutcome::Confirmed);
    match deduplicator.claim("a", fingerprint("x")).await.unwrap() {
        DedupOutcome::Replay(done) => {
            assert_eq!(done, ExecutionOutcome::Completed("result".into()))
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        deduplicator.claim("a", fingerprint("y")).await.unwrap(),
        DedupOutcome::Mismatch
    ));
    let _other_work = proceed(&deduplicator, "b").await;
    if let Some(redis) = backend.redis_server() {
        assert!(redis.keys().iter().all(|key| key.starts_with("once:")));
    }
}

each_store!(a_failure_for_good_is_told_and_a_release_is_not);
async fn a_failure_for_good_is_told_and_a_release_is_not(backend: &Backend) {
    let deduplicator = backend.deduplicator().build().unwrap();
    assert_eq!(
        proceed(&deduplicator, "a")
            .await
            .fail("no such account")
            .await,
        FinishOutcome::Confirmed
    );
    match deduplicator.claim("a", fingerprint("x")).await.unwrap() {
        DedupOutcome::Replay(done) => {
            assert_eq!(done, ExecutionOutcome::Failed("no such account".into()))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        proceed(&deduplicator, "b").await.release().await,
        FinishOutcome::Confirmed
    );
    drop(proceed(&deduplicator, "b").await);
    assert!(deduplicator.drain(LIMIT).await);
    let run = proceed(&deduplicator, "b").await.retain_for(LEASE);
    assert_eq!(run.complete("").await, FinishOutcome::Confirmed);
    sleep(LEASE * 2).await;
    assert_eq!(
        proceed(&deduplicator, "b").await.attempt().get(),
        1,
        "forgotten by now"
    );
}

each_store!(of_many_one_proceeds);
async fn of_many_one_proceeds(backend: &Backend) {
    let deduplicator = backend.deduplicator().build().unwrap();
    let claims = join_all((0..50).map(|_| deduplicator.claim("a", fingerprint("x")))).await;
    let proceeding = claims
        .iter()
        .filter(|claimed| matches!(claimed, Ok(DedupOutcome::Execute(_))));
    assert_eq!(proceeding.count(), 1);
    drop(claims);
}

each_store!(who_waits_is_told_the_result_or_runs_next);
async fn who_waits_is_told_the_result_or_runs_next(backend: &Backend) {
    let deduplicator = backend.deduplicator().build().unwrap();
    let wait = |key: &'static str| {
        let deduplicator = deduplicator.clone();
        tokio::spawn(async move {
            deduplicator
                .claim_or_wait(key, fingerprint("x"), LIMIT)
                .await
                .unwrap()
        })
    };
    let run = proceed(&deduplicator, "a").await;
    let waits = wait("a");
    sleep(Duration::from_millis(100)).await;
    assert!(!waits.is_finished());
    run.complete("result").await;
    assert!(matches!(
        waits.await.unwrap(),
        DedupOutcome::Replay(ExecutionOutcome::Completed(_))
    ));

    let run = proceed(&deduplicator, "b").await;
    let waits = wait("b");
    sleep(Duration::from_millis(100)).await;
    run.release().await;
    assert!(matches!(waits.await.unwrap(), DedupOutcome::Execute(_)));

    let endless = deduplicator
        .claim_or_wait("d", fingerprint("x"), Duration::MAX)
        .await;
    assert!(matches!(endless.unwrap(), DedupOutcome::Execute(_)));

    let _run = proceed(&deduplicator, "c").await;
    let short = deduplicator
        .claim_or_wait("c", fingerprint("x"), Duration::from_millis(100))
        .await;
    assert!(matches!(short.unwrap(), DedupOutcome::InFlight));
}

each_store!(a_dead_owner_is_followed_or_not);
async fn a_dead_owner_is_followed_or_not(backend: &Backend) {
    for policy in [ExpiredLease::Reexecute, ExpiredLease::Refuse] {
        let deduplicator = backend
            .deduplicator()
            .key_prefix(format!("{policy:?}:"))
            .on_expired_lease(policy);
        let deduplicator = deduplicator.lease(LEASE).renew_for(LEASE).build().unwrap();
        let dead = proceed(&deduplicator, "a").await;
        dead.lost().await;
        assert!(dead.is_lost());
        match policy {
            ExpiredLease::Refuse => {
                let next = claim_after_the_lease(&deduplicator, "a").await;
                assert!(matches!(next, DedupOutcome::OutcomeUnknown), "{next:?}");
                drop(dead);
                let next = deduplicator.claim("a", fingerprint("x")).await.unwrap();
                assert!(matches!(next, DedupOutcome::OutcomeUnknown), "{next:?}");
            }
            _ => {
                let DedupOutcome::Execute(next) = claim_after_the_lease(&deduplicator, "a").await
                else {
                    panic!("nobody else is there");
                };
                assert_eq!(next.attempt().get(), 2);
                assert!(dead.fencing_token().await.unwrap_err().is_lost());
                let fence = next.fencing_token().await.unwrap();
                assert!(fence.0 > 0);
                assert_eq!(dead.complete("late").await, FinishOutcome::Lost);
                assert_eq!(next.complete("in time").await, FinishOutcome::Confirmed);
            }
        }
    }
}

#[tokio::test]
async fn what_redis_did_not_hear_is_recorded_later() {
    let mut redis = Redis::start();
    let deduplicator = Deduplicator::builder(redis.store()).build().unwrap();
    let run = proceed(&deduplicator, "a").await;
    redis.kill();
    assert_eq!(run.complete("result").await, FinishOutcome::Deferred);
    assert!(deduplicator.claim("b", None).await.is_err());
    redis.restart();
    assert!(deduplicator.drain(LIMIT).await);
    // The background may have found out before this runtime that Redis is back.
    eventually("the store can be asked", async || {
        matches!(
            deduplicator.claim("a", fingerprint("x")).await,
            Ok(DedupOutcome::Replay(ExecutionOutcome::Completed(_)))
        )
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_or_was_not_kept_is_not_done_again() {
    let redis = Redis::start();
    let deduplicator = Deduplicator::builder(redis.store()).build().unwrap();
    redis.command(&["SET", &deduplicator.stored_key("a").to_string(), "hello"]);
    assert!(matches!(
        deduplicator.claim("a", None).await.unwrap(),
        DedupOutcome::NotStored
    ));

    let small = MemoryStore::builder().max_bytes(10).build().unwrap();
    let deduplicator = Deduplicator::builder(small).build().unwrap();
    proceed(&deduplicator, "a")
        .await
        .complete("more than ten bytes")
        .await;
    assert!(matches!(
        deduplicator.claim("a", fingerprint("x")).await.unwrap(),
        DedupOutcome::NotStored
    ));
}

each_store!(a_claim_is_renewed_as_long_as_its_run_lives);
async fn a_claim_is_renewed_as_long_as_its_run_lives(backend: &Backend) {
    let deduplicator = backend
        .deduplicator()
        .lease(Duration::from_millis(200))
        .build()
        .unwrap();
    let run = proceed(&deduplicator, "a").await;
    sleep(Duration::from_secs(1)).await;
    assert!(!run.is_lost());
    assert!(matches!(
        deduplicator.claim("a", fingerprint("x")).await.unwrap(),
        DedupOutcome::InFlight
    ));
    drop(run);
    eventually("it is given back", async || {
        matches!(
            deduplicator.claim("a", fingerprint("x")).await.unwrap(),
            DedupOutcome::Execute(_)
        )
    })
    .await;
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_their_numbers() {
    let refused = |change: fn(DeduplicatorBuilder) -> DeduplicatorBuilder| {
        change(Deduplicator::builder(MemoryStore::new()))
            .build()
            .unwrap_err()
            .to_string()
    };
    assert!(
        refused(|deduplicator| deduplicator.lease(Duration::ZERO))
            .contains("lease must be between 100 ms and 1 h (got 0ns)")
    );
    assert!(
        refused(|deduplicator| deduplicator.retention(Duration::from_secs(1)))
            .contains("365 days (got 1s)")
    );
    assert!(
        refused(|deduplicator| deduplicator.renew_for(Duration::from_secs(1)))
            .contains("1 day (got 1s)")
    );
}
