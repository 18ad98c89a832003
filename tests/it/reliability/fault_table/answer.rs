use std::time::Instant;

use super::{target::Target, told::Seen};

/// What a client was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) target: Target,
    pub(super) number: usize,
    pub(super) sent: Instant,
    pub(super) came: Instant,
    pub(super) status: u16,
    /// The name of the problem, if it is one.
    pub(super) problem: Option<String>,
    pub(super) is_replay: bool,
}

impl Answer {
    /// Whether a handler ran for it.
    pub(super) fn is_a_run(&self) -> bool {
        self.status == 201 && !self.is_replay
    }

    /// Whether the contract allows it.
    pub(super) fn may_be_seen(&self, seen: Seen) -> bool {
        let Self {
            target,
            status,
            problem,
            ..
        } = self;
        match (status, problem.as_deref()) {
            (201, None) => true,
            (409, Some("busy")) => !target.replays(),
            (409, Some("in-flight")) => target.replays(),
            (409, Some("response-not-stored")) => target.replays() && seen == Seen::Refused,
            (503, Some("store-unavailable")) => !target.fails_open(),
            _ => false,
        }
    }

    /// What it says, in few words.
    pub(super) fn kind(&self) -> String {
        let problem = self.problem.as_deref().unwrap_or(match self.is_replay {
            true => "replay",
            false => "run",
        });
        format!("{:?} {} {problem}", self.target, self.status)
    }
}
