use std::fmt::{self, Write};

use super::fault::Fault;

/// What is said of a fault, and asserted.
pub(super) struct Row {
    pub(super) fault: Fault,
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
    /// Calls that are under way may fail.
    Moment,
    /// Every call fails.
    Outage,
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
}

/// What becomes of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    Kept,
    AllLost,
    ThoseLost,
}

use Fault::*;
use Keys::{AllLost, Kept, ThoseLost};
use Resumes::{AtOnce, Soon, Unbroken};
use Seen::{Delay, Moment, Nothing, Outage, Refused};

pub(super) const TABLE: [Row; 23] = [
    row(
        Killed,
        "Redis is killed and starts empty",
        Outage,
        Soon,
        AllLost,
    ),
    row(
        KilledWithAof,
        "Redis is killed and starts with its append-only file, `appendfsync always`",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Stopped,
        "Redis is stopped, as by `SIGSTOP`, and goes on",
        Outage,
        Soon,
        Kept,
    ),
    row(Paused, "`CLIENT PAUSE`", Outage, Soon, Kept),
    row(
        ClientsKilled,
        "`CLIENT KILL`, again and again",
        Moment,
        AtOnce,
        Kept,
    ),
    row(
        Cut,
        "the network is cut, and refuses connections",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Slow,
        "the network is slower, by less than the timeout",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        TooSlow,
        "the network is slower, by more than the timeout",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Reset,
        "connections are reset, again and again",
        Moment,
        AtOnce,
        Kept,
    ),
    row(
        Forgotten,
        "connections are half-open: the network has forgotten them and says nothing",
        Moment,
        AtOnce,
        Kept,
    ),
    row(
        Unanswered,
        "the network swallows what Redis answers, on new connections too",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Swallowed,
        "the network swallows everything, on new connections too",
        Outage,
        Soon,
        Kept,
    ),
    row(
        ScriptsFlushed,
        "`SCRIPT FLUSH`, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(Flushed, "`FLUSHALL`", Nothing, Unbroken, AllLost),
    row(
        Squatted,
        "keys are overwritten with another type",
        Refused,
        AtOnce,
        ThoseLost,
    ),
    row(
        Deleted,
        "an operator deletes keys",
        Nothing,
        Unbroken,
        ThoseLost,
    ),
    row(
        OutOfMemory,
        "Redis is out of memory, with `noeviction`",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        ReadOnly,
        "Redis becomes a read-only replica",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        WrongPassword,
        "the password is wrong from the start",
        Outage,
        Soon,
        Kept,
    ),
    row(
        RotatedPassword,
        "the password is changed, and connections are closed",
        Outage,
        Soon,
        Kept,
    ),
    row(
        MaxClients,
        "Redis has closed our connections and has none left, by `maxclients`",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Exhausted,
        "a pool of the application's own is exhausted",
        Outage,
        Soon,
        Kept,
    ),
    row(
        WorkersEnd,
        "worker runtimes end that use the same store",
        Nothing,
        Unbroken,
        Kept,
    ),
];

const fn row(fault: Fault, what: &'static str, seen: Seen, resumes: Resumes, keys: Keys) -> Row {
    Row {
        fault,
        what,
        seen,
        resumes,
        keys,
    }
}

/// The table, as Markdown.
pub(super) fn rendered() -> String {
    let mut text = HEAD.to_owned();
    for row in &TABLE {
        let (closed, open) = row.seen.by_policy();
        let Row {
            what,
            resumes,
            keys,
            ..
        } = row;
        writeln!(text, "| {what} | {closed} | {open} | {resumes} | {keys} |").unwrap();
    }
    text
}

const HEAD: &str = "\
<!-- Made by tests/it/fault_table, which says how. -->
What clients see of each fault, by the tests that cause it under load. In every case an answer
waits for the store at most one timeout before its handler runs and one after; when the fault is
over the service resumes without a restart of the application, and no key stays blocked for longer
than its lease. Where requests fail closed, no handler runs twice for a key while it is claimed, and
what was answered is not run again unless its key is lost, or the answer was given while Redis was
away for longer than the lease.

| Fault | Clients see, fail-closed | Clients see, fail-open | Service resumes | Keys |
|---|---|---|---|---|
";

impl Seen {
    fn by_policy(self) -> (&'static str, &'static str) {
        match self {
            Self::Nothing => ("nothing", "nothing"),
            Self::Delay => ("slower answers", "slower answers"),
            Self::Moment => (
                "`503` for requests of that moment",
                "requests of that moment run unguarded",
            ),
            Self::Outage => ("`503`", "requests run unguarded"),
            Self::Refused => ("`409` for those keys", "`409` for those keys"),
        }
    }
}

impl fmt::Display for Resumes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbroken => "it goes on",
            Self::AtOnce => "with the next calls",
            Self::Soon => "within a second or two",
        })
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "kept",
            Self::AllLost => "all lost: what runs or was answered may run again",
            Self::ThoseLost => "those lost: what runs or was answered may run again",
        })
    }
}
