//! The same sequences of calls on every store, against the written contract of `Store`.

mod check;
mod contract;
mod history;
mod key;
mod play;
mod sequence;
mod watch;

use std::time::Duration;

use actix_web_idempotency::{MemoryStore, store::Inspect, testing::BackgroundHere};
use futures_util::future::join_all;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{TestCaseError, TestError, TestRunner},
};
use tokio::runtime::{Builder, Runtime};

use self::{
    check::{Certainty, check},
    play::{Pace, play},
    sequence::{Sequence, sequences},
};
use super::runner;
use crate::support::redis::Redis;

/// How many sequences go on side by side, and share the time that passes.
const AT_ONCE: u32 = 150;

/// A clock that nobody waits for: outcomes are exact to the nanosecond.
const PAUSED: Pace = Pace {
    tick: Duration::from_millis(100),
    grain: Duration::ZERO,
    watch: Duration::ZERO,
};

/// A real clock. Redis counts whole milliseconds, from its own readings of the time.
const REAL: Pace = Pace {
    tick: Duration::from_millis(80),
    grain: Duration::from_millis(2),
    watch: Duration::from_secs(5),
};

/// Plays one sequence alone.
async fn alone<S: Inspect + Clone>(
    store: &S,
    pace: Pace,
    sequence: &Sequence,
) -> Result<Certainty, String> {
    let history = play(store, pace, Duration::ZERO, sequence).await;
    check(sequence, pace, &history)
}

/// Plays many sequences at once, spread over a tick, so that they do not get into each other's way.
/// One that fails is made smaller.
fn side_by_side<S: Inspect + Clone>(
    runner: &mut TestRunner,
    runtime: &Runtime,
    store: &S,
    pace: Pace,
) -> Certainty {
    let trees: Vec<_> = (0..AT_ONCE)
        .map(|_| sequences().new_tree(runner).unwrap())
        .collect();
    let drawn: Vec<_> = trees.iter().map(|tree| tree.current()).collect();
    let plays = drawn.iter().zip(0..).map(|(sequence, n)| {
        let offset = pace.tick * n / AT_ONCE;
        async move {
            let history = play(store, pace, offset, sequence).await;
            check(sequence, pace, &history)
        }
    });
    let mut certainty = Certainty::default();
    let outcomes = runtime.block_on(join_all(plays));
    for (outcome, tree) in outcomes.into_iter().zip(trees) {
        match outcome {
            Ok(one) => certainty.add(one),
            Err(why) => panic!("{}", smallest(runner, tree, runtime, store, pace, why)),
        }
    }
    certainty
}

fn smallest<S: Inspect + Clone, T: ValueTree<Value = Sequence>>(
    runner: &mut TestRunner,
    tree: T,
    runtime: &Runtime,
    store: &S,
    pace: Pace,
    why: String,
) -> String {
    let again = runner.run_one(tree, |sequence| {
        let outcome = runtime.block_on(alone(store, pace, &sequence));
        outcome.map(drop).map_err(TestCaseError::fail)
    });
    match again {
        Err(TestError::Fail(why, _)) => why.to_string(),
        _ => format!("only once, among others: {why}"),
    }
}

#[test]
fn memory_keeps_the_contract_in_every_sequence() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let _here = runtime.block_on(async { BackgroundHere::here() });
    let mut runner = runner(1);
    for _ in 0..12 {
        let certainty = side_by_side(&mut runner, &runtime, &MemoryStore::new(), PAUSED);
        assert_eq!(certainty.unsure, 0, "{certainty:?}");
    }
}

#[test]
fn redis_keeps_the_contract_in_every_sequence() {
    let redis = Redis::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let store = redis.store();
    let mut certainty = Certainty::default();
    let mut runner = runner(1);
    for _ in 0..3 {
        certainty.add(side_by_side(&mut runner, &runtime, &store, REAL));
    }
    println!("{certainty:?}");
    // Where a call came too close to a deadline both outcomes are right.
    assert!(certainty.unsure * 4 < certainty.calls, "{certainty:?}");
    drop(store);
}
