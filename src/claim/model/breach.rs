/// How the promise can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    /// A handler began while another that was not to be followed yet held the key, or had answered.
    RanTwice,
    /// A request was answered with a record that is not of its own work.
    WrongReplay,
    /// A request was not answered with the record that others had been told was kept.
    AnswerLost,
    /// A request was refused though nobody held its key any more.
    Blocked,
    /// Somebody who did not own a key changed what it holds.
    Stolen,
    /// The rows of one work were committed twice.
    CommittedTwice,
}
