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
