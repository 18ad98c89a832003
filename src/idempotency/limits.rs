/// A thousand connections that stand still are much for a process, and few for its clients.
const MOST_WAITERS: usize = 1024;

/// Bounds on those who wait, with [`InFlight::Wait`](crate::InFlight::Wait).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Limits {
    pub(super) waiters: Option<usize>,
    pub(super) prefer_wait: bool,
}

impl Limits {
    /// All defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests may wait at once in a process. Those beyond are told 409 `in-flight`.
    ///
    /// Default: 1024. Each keeps its connection and its body, 2 MiB at the most.
    pub fn waiters(mut self, most: usize) -> Self {
        self.waiters = Some(most);
        self
    }

    /// Lets a client shorten its wait with `Prefer: wait=<seconds>`
    /// ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)). It waits no longer than
    /// without; the answer to a request that waited says `Preference-Applied: wait=<seconds>`.
    ///
    /// Default: the header is ignored. Clients that send it for another reason are not surprised.
    pub fn prefer_wait(mut self) -> Self {
        self.prefer_wait = true;
        self
    }

    pub(super) fn most_waiters(&self) -> usize {
        self.waiters.unwrap_or(MOST_WAITERS)
    }
}
