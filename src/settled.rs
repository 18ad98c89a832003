/// What has come of a record or a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The store has it.
    Yes,
    /// The store could not be told in time, or nobody waited for it; the background goes on telling
    /// it.
    Later,
    /// The key is another's by now; nothing was changed. The same work may have been done twice.
    Lost,
}
