//! `Once`, on both stores.

use std::time::Duration;

use actix_web_idempotency::{
    Claimed, Done, Fingerprint, LostOwner, MemoryStore, Once, OnceBuilder, Settled,
};
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use crate::support::{eventually, redis::Redis};

const LEASE: Duration = Duration::from_millis(500);
const LIMIT: Duration = Duration::from_secs(10);

fn once_on_each_store(redis: &Redis) -> [OnceBuilder; 2] {
    [
        Once::builder(MemoryStore::new()),
        Once::builder(redis.store()),
    ]
}

fn of(text: &str) -> Option<Fingerprint> {
    Some(Fingerprint::of_bytes(text))
}

async fn proceed(once: &Once, key: &str) -> actix_web_idempotency::Run {
    match once.claim(key, of("x")).await.unwrap() {
        Claimed::Proceed(run) => run,
        other => panic!("{other:?}"),
    }
}

/// What a claim comes to once the lease of a dead owner has lapsed by the store's clock too, which is
/// a little after the owner had to take it for lost.
async fn claim_after_the_lease(once: &Once, key: &str) -> Claimed {
    let lapsed = async {
        loop {
            match once.claim(key, of("x")).await.unwrap() {
                Claimed::InProgress => sleep(Duration::from_millis(2)).await,
                claimed => return claimed,
            }
        }
    };
    timeout(LIMIT, lapsed).await.expect("a lease ends")
}

#[tokio::test]
async fn work_is_done_once_and_its_result_is_told() {
    let redis = Redis::start();
    for once in once_on_each_store(&redis) {
        let once = once.build().unwrap();
        let run = proceed(&once, "a").await;
        assert_eq!(run.attempt().get(), 1);
        assert!(!run.is_lost());
        assert!(matches!(
            once.claim("a", of("x")).await.unwrap(),
            Claimed::InProgress
        ));
        assert!(matches!(
            once.claim("a", of("y")).await.unwrap(),
            Claimed::Mismatch
        ));
        assert!(matches!(
            once.claim("a", None).await.unwrap(),
            Claimed::Mismatch
        ));
        assert_eq!(run.complete("result").await, Settled::Yes);
        match once.claim("a", of("x")).await.unwrap() {
            Claimed::Replay(done) => assert_eq!(done, Done::Completed("result".into())),
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            once.claim("a", of("y")).await.unwrap(),
            Claimed::Mismatch
        ));
        let _other_work = proceed(&once, "b").await;
    }
    assert!(redis.keys().iter().all(|key| key.starts_with("once:")));
}

#[tokio::test]
async fn a_failure_for_good_is_told_and_a_release_is_not() {
    let redis = Redis::start();
    for once in once_on_each_store(&redis) {
        let once = once.build().unwrap();
        assert_eq!(
            proceed(&once, "a").await.fail("no such account").await,
            Settled::Yes
        );
        match once.claim("a", of("x")).await.unwrap() {
            Claimed::Replay(done) => assert_eq!(done, Done::Failed("no such account".into())),
            other => panic!("{other:?}"),
        }
        assert_eq!(proceed(&once, "b").await.release().await, Settled::Yes);
        drop(proceed(&once, "b").await);
        assert!(once.drain(LIMIT).await);
        let run = proceed(&once, "b").await.retain_for(LEASE);
        assert_eq!(run.complete("").await, Settled::Yes);
        sleep(LEASE * 2).await;
        assert_eq!(
            proceed(&once, "b").await.attempt().get(),
            1,
            "forgotten by now"
        );
    }
}

#[tokio::test]
async fn of_many_one_proceeds() {
    let redis = Redis::start();
    for once in once_on_each_store(&redis) {
        let once = once.build().unwrap();
        let claims = join_all((0..50).map(|_| once.claim("a", of("x")))).await;
        let proceeding = claims
            .iter()
            .filter(|claimed| matches!(claimed, Ok(Claimed::Proceed(_))));
        assert_eq!(proceeding.count(), 1);
        drop(claims);
    }
}

#[tokio::test]
async fn who_waits_is_told_the_result_or_runs_next() {
    let redis = Redis::start();
    for once in once_on_each_store(&redis) {
        let once = once.build().unwrap();
        let wait = |key: &'static str| {
            let once = once.clone();
            tokio::spawn(async move { once.claim_or_wait(key, of("x"), LIMIT).await.unwrap() })
        };
        let run = proceed(&once, "a").await;
        let waits = wait("a");
        sleep(Duration::from_millis(100)).await;
        assert!(!waits.is_finished());
        run.complete("result").await;
        assert!(matches!(
            waits.await.unwrap(),
            Claimed::Replay(Done::Completed(_))
        ));

        let run = proceed(&once, "b").await;
        let waits = wait("b");
        sleep(Duration::from_millis(100)).await;
        run.release().await;
        assert!(matches!(waits.await.unwrap(), Claimed::Proceed(_)));

        let endless = once.claim_or_wait("d", of("x"), Duration::MAX).await;
        assert!(matches!(endless.unwrap(), Claimed::Proceed(_)));

        let _run = proceed(&once, "c").await;
        let short = once
            .claim_or_wait("c", of("x"), Duration::from_millis(100))
            .await;
        assert!(matches!(short.unwrap(), Claimed::InProgress));
    }
}

#[tokio::test]
async fn a_dead_owner_is_followed_or_not() {
    let redis = Redis::start();
    for policy in [LostOwner::Reexecute, LostOwner::Refuse] {
        for once in once_on_each_store(&redis) {
            let once = once
                .key_prefix(format!("{policy:?}:"))
                .on_lost_owner(policy);
            let once = once.lease(LEASE).renew_for(LEASE).build().unwrap();
            let dead = proceed(&once, "a").await;
            dead.lost().await;
            assert!(dead.is_lost());
            match policy {
                LostOwner::Refuse => {
                    let next = claim_after_the_lease(&once, "a").await;
                    assert!(matches!(next, Claimed::UnknownOutcome), "{next:?}");
                    drop(dead);
                    let next = once.claim("a", of("x")).await.unwrap();
                    assert!(matches!(next, Claimed::UnknownOutcome), "{next:?}");
                }
                _ => {
                    let Claimed::Proceed(next) = claim_after_the_lease(&once, "a").await else {
                        panic!("nobody else is there");
                    };
                    assert_eq!(next.attempt().get(), 2);
                    assert!(dead.fence().await.unwrap_err().is_lost());
                    let fence = next.fence().await.unwrap();
                    assert!(fence.0 > 0);
                    assert_eq!(dead.complete("late").await, Settled::Lost);
                    assert_eq!(next.complete("in time").await, Settled::Yes);
                }
            }
        }
    }
}

#[tokio::test]
async fn what_redis_did_not_hear_is_recorded_later() {
    let mut redis = Redis::start();
    let once = Once::builder(redis.store()).build().unwrap();
    let run = proceed(&once, "a").await;
    redis.kill();
    assert_eq!(run.complete("result").await, Settled::Later);
    assert!(once.claim("b", None).await.is_err());
    redis.restart();
    assert!(once.drain(LIMIT).await);
    // The background may have found out before this runtime that Redis is back.
    eventually("the store can be asked", async || {
        matches!(
            once.claim("a", of("x")).await,
            Ok(Claimed::Replay(Done::Completed(_)))
        )
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_or_was_not_kept_is_not_done_again() {
    let redis = Redis::start();
    let once = Once::builder(redis.store()).build().unwrap();
    redis.command(&["SET", &once.stored_key("a").to_string(), "hello"]);
    assert!(matches!(
        once.claim("a", None).await.unwrap(),
        Claimed::NotStored
    ));

    let small = MemoryStore::builder().max_bytes(10).build().unwrap();
    let once = Once::builder(small).build().unwrap();
    proceed(&once, "a")
        .await
        .complete("more than ten bytes")
        .await;
    assert!(matches!(
        once.claim("a", of("x")).await.unwrap(),
        Claimed::NotStored
    ));
}

#[tokio::test]
async fn a_claim_is_renewed_as_long_as_its_run_lives() {
    let redis = Redis::start();
    for once in once_on_each_store(&redis) {
        let once = once.lease(Duration::from_millis(200)).build().unwrap();
        let run = proceed(&once, "a").await;
        sleep(Duration::from_secs(1)).await;
        assert!(!run.is_lost());
        assert!(matches!(
            once.claim("a", of("x")).await.unwrap(),
            Claimed::InProgress
        ));
        drop(run);
        eventually("it is given back", async || {
            matches!(once.claim("a", of("x")).await.unwrap(), Claimed::Proceed(_))
        })
        .await;
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_their_numbers() {
    let refused = |change: fn(OnceBuilder) -> OnceBuilder| {
        change(Once::builder(MemoryStore::new()))
            .build()
            .unwrap_err()
            .to_string()
    };
    assert!(refused(|once| once.lease(Duration::ZERO)).contains("lease is 0ns"));
    assert!(refused(|once| once.retention(Duration::from_secs(1))).contains("retention is 1s"));
    assert!(refused(|once| once.renew_for(Duration::from_secs(1))).contains("renew_for is 1s"));
}
