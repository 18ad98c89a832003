//! What reads bytes that somebody else has written: for any bytes no panic, no more memory than a
//! small multiple of them, and what is written is what is read. `fuzz/` asks the same for longer.
//!
//! Each run draws other cases; a failure prints the smallest one that fails.

mod form;
mod json;
mod key;
mod prefer;
mod splits;
mod stored;
mod tree;

use proptest::test_runner::Config;

/// So many cases of a property, and no file about those that failed.
fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}
