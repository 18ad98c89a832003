use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Microseconds on the clock of the machine, which is that of Redis too.
pub(crate) type Micros = u64;

/// A line of a journal.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub(crate) at: Micros,
    pub(crate) event: Event,
}

/// What happens in a server. Claims are named by their token.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Event {
    /// The store has handed a claim out.
    Claimed { claim: String },
    /// The store has confirmed a claim, and told its time.
    Renewed { claim: String, store_time: Micros },
    /// The store was asked to confirm a claim, and said that it is another's or nobody's.
    Lost { claim: String, since: Micros },
    /// The store has been told how a claim ends. Not held: it said that the claim is another's.
    Told {
        claim: String,
        ending: Ending,
        held: bool,
    },
    /// The store has not answered. What is certain not to have arrived was not `sent`.
    Missed {
        claim: String,
        call: Call,
        since: Micros,
        sent: bool,
    },
    /// A handler has its fence and does what must not be done twice.
    Begun {
        run: String,
        key: String,
        fence: Micros,
    },
    /// A handler has come to its end.
    Ended { run: String, fate: Fate },
    /// The process got no processor for longer than it should have.
    Stalled { since: Micros },
}

/// What the store is told of a claim at its end.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Ending {
    Answer,
    Tombstone,
    Release,
}

/// A call to the store.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Call {
    Begin,
    Renew,
    Complete,
    Release,
}

/// How a handler ends, as its request wishes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Fate {
    /// 201, its body in memory.
    Created,
    /// 201, its body a stream.
    Streamed,
    /// 500, which leaves the key free.
    Failed,
    Panicked,
}

impl Fate {
    /// Whether the key is free again.
    #[allow(dead_code, reason = "of those who share this file only the tests ask")]
    pub(crate) fn is_transient(self) -> bool {
        matches!(self, Self::Failed | Self::Panicked)
    }
}

pub(crate) fn now() -> Micros {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}
