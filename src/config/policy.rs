//! What happens where there is more than one good answer.

use std::time::Duration;

/// What a repeated request is told while the first one is still running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InFlight {
    /// 409 `in-flight` at once, with `Retry-After`. The default: it holds no connection, and
    /// clients that send keys know how to retry.
    #[default]
    Reject,
    /// It waits, at most this long, and gets the answer of the first. If the first ends without an
    /// answer that is recorded, one of those who wait runs next. After this time, or when too many
    /// wait already, 409 `in-flight`.
    Wait(Duration),
}

/// What becomes of a key whose owner died: its process was killed, or cut off from the store, for
/// longer than the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostOwner {
    /// The next request with the same key and fingerprint runs, and is told that it is not the
    /// first attempt. The default: a crash then heals by itself. The work has to stand it, by a
    /// unique constraint or a [fence](crate::Claim::fence), because the dead owner may have done
    /// a part of it, or all.
    #[default]
    Reexecute,
    /// Nobody runs: 409 `outcome-unknown`, until the retention has passed or an operator has
    /// looked (see [`Inspect`](crate::store::Inspect)). For work that cannot tell whether it was
    /// done before.
    Refuse,
}

/// What happens to a request while the store cannot be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFailure {
    /// It does not run: 503 `store-unavailable` with `Retry-After`. The default: whoever asked for
    /// idempotency would rather not run than run twice.
    #[default]
    FailClosed,
    /// It runs unguarded, and a warning is logged. Repetitions run too.
    FailOpen,
}
