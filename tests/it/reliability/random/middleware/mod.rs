//! Whole lives of the middlewares, by plan: what is asked and when, what handlers do, what the store
//! does, and who leaves. In paused time, so that a plan takes no longer than its work.
//!
//! No lease lapses in a plan, so nothing excuses a second run: leases are long, and no store fails
//! often enough that a renewal would never get through. What happens when they do is for the model.

mod client;
mod fickle;
mod life;
mod log;
mod plan;
mod promise;
mod runs;

use std::{cell::RefCell, collections::BTreeMap};

use proptest::{strategy::Strategy, test_runner::TestCaseError};

use self::{
    life::live,
    plan::{Plan, plans_with_a_lock, plans_with_keys},
};
use super::runner;

/// Lives plans through. `kinds` are those of which clients have to hear now and then, or the plans are
/// too tame.
fn all_keep_the_promise(cases: u32, plans: impl Strategy<Value = Plan>, kinds: &[&str]) {
    let all = RefCell::new(BTreeMap::<String, usize>::new());
    let outcome = runner(cases).run(&plans, |plan| {
        for heard in live(&plan).map_err(TestCaseError::fail)? {
            *all.borrow_mut().entry(heard.kind().to_owned()).or_default() += 1;
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let all = all.into_inner();
    println!("{all:?}");
    for kind in kinds {
        let often = all.get(*kind).copied().unwrap_or_default();
        assert!(often > 5, "{kind}: {all:?}");
    }
}

#[test]
fn keys_keep_the_promise_in_every_plan() {
    let kinds = [
        "answer",
        "replay",
        "left",
        "broken",
        "failed",
        "in-flight",
        "key-reused",
        "response-not-stored",
        "store-unavailable",
    ];
    all_keep_the_promise(600, plans_with_keys(), &kinds);
}

#[test]
fn a_lock_keeps_the_promise_in_every_plan() {
    let kinds = [
        "answer",
        "left",
        "broken",
        "failed",
        "busy",
        "store-unavailable",
    ];
    all_keep_the_promise(350, plans_with_a_lock(), &kinds);
}
