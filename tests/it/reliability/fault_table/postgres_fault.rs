/// What happens to a PostgreSQL, to the way to it, or to those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PostgresFault {
    Killed,
    Stopped,
    Terminated,
    Cut,
    Slow,
    TooSlow,
    Reset,
    Swallowed,
    ReadOnly,
    TableRenamed,
    RightsRevoked,
    TableLocked,
    RowsLocked,
    Truncated,
    Deleted,
    Exhausted,
    WorkersEnd,
}
