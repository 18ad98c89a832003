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
