/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How often something happened, with a counter.
    Times,
    /// How long it took, with a histogram.
    Seconds,
    /// How large it was, with a histogram.
    Bytes,
    /// How full a memory store is, with a gauge.
    Level,
}

impl Measure {
    /// The label that says whose it is.
    pub(super) fn owner(self) -> &'static str {
        match self {
            Self::Times | Self::Seconds | Self::Bytes => "guard",
            Self::Level => "store",
        }
    }
}
