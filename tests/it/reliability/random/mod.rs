//! What nobody thought of: sequences of calls on the stores, and whole lives of the middlewares, drawn
//! at random.
//!
//! Each run draws others; a failure prints the smallest one that fails, what happened in it, and the
//! seed by which the same are drawn again: `PROPTEST_RNG_SEED=17 cargo test --test it random`.

mod middleware;
mod stores;

use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Draws so many cases of a property, and makes no file about those that failed.
fn runner(cases: u32) -> TestRunner {
    let usual = Config::default();
    let seed = match usual.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => rand::random(),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 20_000,
        rng_seed: RngSeed::Fixed(seed),
        ..usual
    })
}
