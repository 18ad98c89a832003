use std::time::Duration;

/// The fault of one call to a [`FaultyStore`](super::FaultyStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is not carried out and fails at once: the store cannot be reached.
    Unavailable,
    /// The call fails at once, because there was no reply in time; it is unknown whether it was carried out.
    TimedOut {
        /// `true` if it was carried out.
        carried_out: bool,
    },
    /// The call gets no reply. The middlewares give such a call up after ten seconds.
    NoAnswer {
        /// `true` if it is carried out even so.
        carried_out: bool,
    },
    /// The call is carried out and gets its reply after this time.
    Delayed(Duration),
    /// The call gets no reply, and is carried out after this time, whether or not anything still waits for it.
    Late(Duration),
    /// The claim is gone, as if an operator had released it or the store had forgotten it: before
    /// [`Renew`](super::Call::Renew), [`Complete`](super::Call::Complete) and
    /// [`Release`](super::Call::Release) are carried out, after [`Begin`](super::Call::Begin) was.
    /// [`Changed`](super::Call::Changed), which is a stranger's, is carried out as ever.
    ClaimLost,
}
