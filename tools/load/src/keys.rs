/// What keys its requests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Each its own.
    Fresh,
    /// All one, whose answer is there.
    Same,
    /// As many in a row one.
    Shared(u32),
}

impl Keys {
    /// How many requests in a row have the same; 0 for all.
    pub(crate) fn share(self) -> u32 {
        match self {
            Self::Fresh => 1,
            Self::Same => 0,
            Self::Shared(share) => share,
        }
    }
}
