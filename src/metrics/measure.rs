/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How often something happened, with a counter.
    Times,
    /// How long it took, with a histogram.
    Seconds,
    /// How large it was, with a histogram.
    Bytes,
}
