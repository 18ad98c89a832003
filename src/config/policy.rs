//! Decisions that an application has to make, because there is more than one good one.

use std::time::Duration;

/// The response to a duplicate while the original request is still running.
///
/// ```
/// use std::time::Duration;
///
/// use actix_web_idempotency::{Idempotency, InFlight, MemoryStore, Scope, Waiting};
///
/// let waiting = Waiting::new(Duration::from_secs(10)).max_waiters(200);
/// let idempotency = Idempotency::builder(MemoryStore::new(), Scope::header("x-tenant-id"))
///     .on_in_flight(InFlight::Wait(waiting))
///     .build()?;
/// # Ok::<_, actix_web_idempotency::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InFlight {
    /// 409 `in-flight` at once, with `Retry-After`. The default: it holds no connection, and clients that send
    /// keys know how to retry.
    #[default]
    Reject,
    /// The duplicate waits for the original request to end, and gets its recorded response. If none was
    /// recorded, one of the waiting duplicates runs next. After the wait, or if too many wait already, 409
    /// `in-flight`.
    Wait(Waiting),
}

/// The limits of waiting duplicates with [`InFlight::Wait`]: their time and their number.
///
/// A [`Duration`] converts to one: `InFlight::Wait(Duration::from_secs(10).into())`.
///
/// ```
/// use std::time::Duration;
///
/// use actix_web_idempotency::Waiting;
///
/// let waiting = Waiting::new(Duration::from_secs(10)).max_waiters(200).honor_prefer(true);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Waiting {
    pub(crate) limit: Duration,
    pub(crate) max_waiters: usize,
    pub(crate) honor_prefer: bool,
}

impl Waiting {
    /// Returns a wait of at most this long: up to an hour, and not longer than the
    /// [`retention`](crate::idempotency::IdempotencyBuilder::retention), or a response would be forgotten while
    /// a duplicate waits for it.
    pub const fn new(limit: Duration) -> Self {
        Self {
            limit,
            max_waiters: 1024,
            honor_prefer: false,
        }
    }

    /// Sets how many requests may wait at once in a process. Those beyond get 409 `in-flight`.
    ///
    /// Defaults to 1024: each keeps its connection and its body, 2 MiB at most.
    pub const fn max_waiters(mut self, most: usize) -> Self {
        self.max_waiters = most;
        self
    }

    /// Lets a client shorten its wait with `Prefer: wait=<seconds>` ([RFC
    /// 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)). It never waits longer than the limit; the
    /// response to a request that waited has `Preference-Applied: wait=<seconds>`.
    ///
    /// Defaults to `false`: the header is ignored, so that clients that send it for another reason are not
    /// surprised.
    pub const fn honor_prefer(mut self, honor: bool) -> Self {
        self.honor_prefer = honor;
        self
    }
}

impl From<Duration> for Waiting {
    fn from(limit: Duration) -> Self {
        Self::new(limit)
    }
}

/// The policy for a key whose lease has expired: its owner crashed, or was cut off from the store for longer
/// than the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExpiredLease {
    /// The next request with the same key and fingerprint runs, as the next [attempt](crate::Claim::attempt).
    /// The default: a crash then heals by itself. The work needs a unique constraint or a [fencing
    /// token](crate::Claim::fencing_token), because the crashed owner may have done a part of it, or all.
    #[default]
    Reexecute,
    /// No request runs: 409 `outcome-unknown`, until the retention has passed or an operator has
    /// looked (see [`Inspect`](crate::store::Inspect)); or until the owner turns out to be alive, and
    /// finishes after all. For work that cannot tell whether it was done before.
    Refuse,
}

/// The policy for requests while the store cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It does not run: 503 `store-unavailable` with `Retry-After`. The default: an application that asks
    /// for protection would rather not run a request than run it twice.
    #[default]
    FailClosed,
    /// It runs unguarded, and a warning is logged. Its duplicates run too.
    FailOpen,
}
