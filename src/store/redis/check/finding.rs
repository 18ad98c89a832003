use std::fmt;

/// Something about a server that should be changed before money depends on it. `Display` says what it is, what
/// can happen, and which setting to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    kind: FindingKind,
    message: String,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Short of memory, the server may drop claims and records before their time.
    Eviction,
    /// A restart forgets what was done.
    NoPersistence,
    /// A failover forgets what was not replicated yet.
    Replicas,
    /// Waiting duplicates get no notifications: the user may not subscribe, or the connections are those of a
    /// pool.
    NoChannel,
    /// The server does not show this user its settings.
    NotTold,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> FindingKind {
        self.kind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
