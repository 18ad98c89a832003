use std::fmt;

/// Something about a server that is worth a change before money depends on it. `Display` says what
/// it is, what can happen, and which setting to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    kind: FindingKind,
    message: String,
}

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Short of memory, the server may drop claims and records before their time.
    Eviction,
    /// A restart forgets what was done.
    NoPersistence,
    /// A failover forgets what was not replicated yet.
    Replicas,
    /// Those who wait are not woken by push: the user may not, or the connections are those of a pool.
    NoChannel,
    /// The server does not tell this user about its settings.
    NotTold,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
