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

use proptest::{
    strategy::Strategy,
    test_runner::{TestCaseError, TestRunner},
};

use self::{
    life::live,
    plan::{Plan, plans_with_a_lock, plans_with_keys},
};
use super::config;

fn all_keep_the_promise(cases: u32, plans: impl Strategy<Value = Plan>) {
    let outcome =
        TestRunner::new(config(cases)).run(&plans, |plan| live(&plan).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn keys_keep_the_promise_in_every_plan() {
    all_keep_the_promise(1500, plans_with_keys());
}

#[test]
fn a_lock_keeps_the_promise_in_every_plan() {
    all_keep_the_promise(1000, plans_with_a_lock());
}
