//! What nobody thought of: sequences of calls on the stores, and whole lives of the middlewares, drawn
//! at random.
//!
//! Each run draws others; a failure prints the smallest one that fails, and what happened in it.

mod middleware;
mod stores;

use proptest::test_runner::Config;

/// So many cases of a property, and no file about those that failed.
fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 20_000,
        ..Config::default()
    }
}
