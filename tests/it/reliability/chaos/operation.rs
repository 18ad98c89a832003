use std::time::Duration;

use rand::{RngExt, rngs::StdRng};

use super::{LONGEST_HANDLER, event::Fate, options::Options};

/// How many keys are new at the same time.
const NEW: usize = 8;

/// What a client wants done, and how it goes about it. Chosen by the seed.
pub(super) struct Operation {
    pub(super) key: String,
    pub(super) fate: Fate,
    pub(super) takes: Duration,
    pub(super) choices: StdRng,
}

impl Operation {
    /// New keys come up all the time, and now and then an old one is asked for.
    pub(super) fn number(number: usize, options: &Options) -> Self {
        let mut choices = options.choices(number as u64 + 1);
        let newest = number * options.keys() / options.requests;
        let key = match choices.random_ratio(1, 10) {
            true => choices.random_range(0..=newest),
            false => choices.random_range(newest.saturating_sub(NEW)..=newest),
        };
        Self {
            key: key.to_string(),
            fate: match choices.random_range(0..100) {
                0..55 => Fate::Created,
                55..70 => Fate::Streamed,
                70..90 => Fate::Failed,
                _ => Fate::Panicked,
            },
            takes: match choices.random_ratio(1, 5) {
                true => LONGEST_HANDLER,
                false => Duration::from_millis(choices.random_range(0..50)),
            },
            choices,
        }
    }

    /// That asks for nothing but an answer.
    pub(super) fn probe(key: usize, options: &Options) -> Self {
        Self {
            key: key.to_string(),
            fate: Fate::Created,
            takes: Duration::ZERO,
            choices: options.choices(u64::MAX - key as u64),
        }
    }
}
