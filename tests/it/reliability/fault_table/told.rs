use std::{fmt, time::Duration};

use super::STORE_TIMEOUT;

/// What is said of a fault, and asserted.
pub(super) struct Told {
    pub(super) what: &'static str,
    pub(super) seen: Seen,
    pub(super) resumes: Resumes,
    pub(super) keys: Keys,
}

/// What clients see while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    /// Nothing fails.
    Delay,
    /// Every call fails.
    Outage,
    /// Every call for the keys that are concerned fails, and no other.
    OutageOfShard,
    /// The same, and then every call for a while.
    OutageSpreads,
    /// Every call that writes fails. Those that read do not.
    NoFirstRuns,
    /// The keys that are concerned are refused.
    Refused,
}

/// When service resumes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumes {
    Unbroken,
    /// Each worker may have to find out with one call.
    AtOnce,
    /// Between two attempts to open a connection lies up to a second.
    Soon,
    /// The same, counted from when a replica has taken over.
    TakenOver,
}

/// What becomes of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Kept,
    /// But for those that the replica had not heard of.
    HeardKept,
    AllLost,
    ThoseLost,
}

impl Keys {
    /// Whether something is promised of keys that were there before.
    pub(super) fn are_kept(self) -> bool {
        matches!(self, Self::Kept | Self::HeardKept)
    }
}

impl Told {
    /// What a call to the store may take. Generous where clients see nothing of the fault, so that they
    /// see nothing of a machine that stalls either.
    pub(super) fn store_timeout(&self) -> Duration {
        match self.seen {
            Seen::Nothing | Seen::Delay => STORE_TIMEOUT * 4,
            _ => STORE_TIMEOUT,
        }
    }
}

impl Seen {
    pub(super) fn is_an_outage(self) -> bool {
        matches!(
            self,
            Self::Outage | Self::OutageOfShard | Self::OutageSpreads | Self::NoFirstRuns
        )
    }

    pub(super) fn fail_closed(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Delay => "slower responses",
            Self::Outage => "`503`",
            Self::OutageOfShard => "`503` for the keys of that shard",
            Self::OutageSpreads => "`503` for the keys of that shard, then for all",
            Self::NoFirstRuns => "`503` for first requests and locks; replays as ever",
            Self::Refused => "`409` for those keys",
        }
    }

    pub(super) fn fail_open(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Delay => "slower responses",
            Self::Outage => "requests run unguarded",
            Self::OutageOfShard => "requests for the keys of that shard run unguarded",
            Self::OutageSpreads => "requests for the keys of that shard, then all, run unguarded",
            Self::NoFirstRuns => "first requests and locks run unguarded; replays as ever",
            Self::Refused => "`409` for those keys",
        }
    }
}

impl fmt::Display for Resumes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbroken => "it is not interrupted",
            Self::AtOnce => "with the next calls",
            Self::Soon => "within a second or two",
            Self::TakenOver => "within a second or two after a replica has taken over",
        })
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "kept",
            Self::HeardKept => {
                "kept, except those that the replica had not received: they may run again"
            }
            Self::AllLost => "all lost: their requests may run again",
            Self::ThoseLost => "those lost: their requests may run again",
        })
    }
}
