use std::fmt;

/// A kind of call to a [`Store`](crate::store::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A claim, at the beginning of a request.
    Begin,
    /// A renewal, or a fencing token.
    Renew,
    /// The recording of a response.
    Complete,
    /// The end of a claim that leaves nothing behind.
    Release,
    /// The watch of a waiting duplicate.
    Changed,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Begin,
        Self::Renew,
        Self::Complete,
        Self::Release,
        Self::Changed,
    ];
}

/// The name of the method.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "begin",
            Self::Renew => "renew",
            Self::Complete => "complete",
            Self::Release => "release",
            Self::Changed => "changed",
        })
    }
}
