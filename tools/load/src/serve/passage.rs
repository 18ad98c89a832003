/// A way through the middlewares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Through `ApiLock`: a claim, and a release.
    Lock,
    /// Through `Idempotency`: a claim, and a completion.
    FirstRun,
    /// Through `Idempotency`: a claim, and a completion in the transaction of the handler.
    Commit,
    /// Through `Idempotency`: a claim that finds a record.
    Replay,
}
