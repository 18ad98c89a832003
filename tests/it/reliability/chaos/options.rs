use std::{env, str::FromStr};

use rand::{SeedableRng, rngs::StdRng};

/// How many requests there are for each key.
const REQUESTS_PER_KEY: usize = 20;

/// What repeats a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) seed: u64,
    pub(super) requests: usize,
}

impl Options {
    /// `CHAOS_SEED` and `CHAOS_REQUESTS`, or any seed and a short run.
    pub(super) fn from_environment() -> Self {
        Self {
            seed: from_environment("CHAOS_SEED").unwrap_or_else(rand::random),
            requests: from_environment("CHAOS_REQUESTS").unwrap_or(2000),
        }
    }

    /// What runs the same again.
    pub(super) fn command(&self) -> String {
        let Self { seed, requests } = self;
        format!("CHAOS_SEED={seed} CHAOS_REQUESTS={requests} tests/run -- chaos")
    }

    pub(super) fn keys(&self) -> usize {
        self.requests.div_ceil(REQUESTS_PER_KEY)
    }

    /// Choices that depend on nothing but the seed and a number.
    pub(super) fn choices(&self, number: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    let value = env::var(name).ok()?;
    let parsed = value.parse().ok();
    Some(parsed.unwrap_or_else(|| panic!("{name}={value} is no number")))
}
