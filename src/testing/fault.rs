use std::time::Duration;

/// What becomes of one call to a [`FaultyStore`](super::FaultyStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not carried out, and the caller is told at once: the store cannot be reached.
    Unavailable,
    /// The caller is told at once that there was no response in time, and not whether the call was
    /// carried out.
    TimedOut {
        /// Whether it was.
        carried_out: bool,
    },
    /// The caller is told nothing. The middlewares give such a call up after ten seconds.
    NoAnswer {
        /// Whether the call is carried out all the same.
        carried_out: bool,
    },
    /// It is carried out and answered after this time.
    Delayed(Duration),
    /// The caller is told nothing, and the call is carried out after this time, whether or not
    /// anybody still waits for it.
    Late(Duration),
    /// The claim is gone, as if an operator had released it or the store had forgotten it: before
    /// [`Renew`](super::Call::Renew), [`Complete`](super::Call::Complete) and
    /// [`Release`](super::Call::Release) are carried out, after [`Begin`](super::Call::Begin) was.
    /// [`Changed`](super::Call::Changed), which is a stranger's, is carried out as ever.
    ClaimLost,
}
