use serde::Deserialize;

use crate::{answer::Answer, guard::Guard};

/// What is chosen on the page.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) guard: Guard,
    pub(crate) answer: Answer,
    /// How long the handler works, in milliseconds.
    pub(crate) millis: u64,
    pub(crate) requests: usize,
    /// How many clients of a hundred hang up.
    pub(crate) leaving: usize,
    /// The key of an earlier run, to send the same order again.
    pub(crate) key: Option<String>,
}

impl Settings {
    /// What is wrong with them. A page in a browser must not keep a server busy for long.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match self {
            _ if !(50..=5_000).contains(&self.millis) => Some("50 to 5000 milliseconds"),
            _ if !(1..=40).contains(&self.requests) => Some("1 to 40 requests"),
            _ if self.leaving > 100 => Some("0 to 100 per cent"),
            _ if !self.key.as_deref().is_none_or(is_key) => Some("another key"),
            _ => None,
        }
    }

    pub(crate) fn leaves(&self, request: usize) -> bool {
        request * 100 < self.leaving * self.requests
    }
}

fn is_key(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}
