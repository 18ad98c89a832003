use std::time::Duration;

use super::{
    history::{Call, Span, Told},
    key::Key,
    play::Pace,
};

/// Somebody who waits for a claim to end.
pub(super) struct Watch {
    pub(super) by: usize,
    begun: Duration,
    ended: Option<Duration>,
    /// When the claim has ended, or will unless it is renewed.
    over: Option<Duration>,
}

impl Watch {
    pub(super) fn new(by: usize, call: &Call) -> Self {
        let ended = match call.told {
            Told::Watched(ended) => ended,
            _ => None,
        };
        Self {
            by,
            begun: call.at.to,
            ended,
            over: None,
        }
    }

    /// Finds out when the claim has ended for certain. One that begins again with the same token is
    /// the same, and the watch may go on.
    pub(super) fn sees(&mut self, keys: &[Key], at: Span) {
        let held = keys.iter().filter_map(|key| match key {
            Key::Claimed(claimed) if claimed.by == self.by => Some(claimed.lapses.to),
            _ => None,
        });
        match held.max() {
            Some(lapses) => self.over = Some(lapses.max(at.to)),
            None => self.over = Some(self.over.map_or(at.to, |over| over.min(at.to))),
        }
    }

    pub(super) fn check(self, pace: Pace) -> Result<(), String> {
        let over = self.over.unwrap_or_default().max(self.begun);
        match self.ended {
            Some(ended) if ended <= over + pace.watch => Ok(()),
            ended => Err(format!(
                "claim {} was over at {over:.1?}, its watch at {ended:.1?}",
                self.by
            )),
        }
    }
}
