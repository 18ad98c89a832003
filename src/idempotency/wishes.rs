use std::time::Duration;

/// What a handler wants to become of its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    pub(super) verdict: Verdict,
    pub(super) no_store: bool,
    pub(super) retention: Option<Duration>,
}

/// Whether the answer is one to be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As the recording's rule says.
    #[default]
    ByRule,
    /// It is, whatever its status.
    Final,
    /// It is not, whatever its status.
    Transient,
}
