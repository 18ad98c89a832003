use std::time::Duration;

/// What a handler wants to become of its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) verdict: Verdict,
    pub(crate) no_store: bool,
    pub(crate) retention: Option<Duration>,
}

/// Whether the answer is one to be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As the recording's rule says.
    #[default]
    ByRule,
    /// It is, whatever its status.
    Final,
    /// It is not, whatever its status.
    Transient,
}
