/// What becomes of a key when its handler has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The answer is kept.
    Recorded,
    /// Only the fact is kept: the answer is too large, was cut off, or must not be stored.
    Tombstone,
    /// It is free.
    Freed,
    /// Its lease lapses, because nobody knows what has been done.
    Lapsed,
}

impl Ending {
    /// A name for labels, the same in every version.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Tombstone => "tombstone",
            Self::Freed => "freed",
            Self::Lapsed => "lapsed",
        }
    }
}
