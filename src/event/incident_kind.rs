/// What happened in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncidentKind {
    /// A claim is another's or nobody's while its handler still runs.
    LostLease,
    /// Claims could not be renewed; it is tried again, until they lapse.
    NotRenewed,
    /// A handler has run for so long that its claim is no longer renewed.
    Hung,
    /// A claim that had been given up was carried out all the same, and is undone.
    Undone,
    /// A recording that was left to the background came too late: the key is another's by now.
    Superseded,
    /// An answer was tried to be recorded for ten minutes, in vain.
    NotRecorded,
    /// So many answers wait to be recorded that of this one only the fact will be.
    Buried,
    /// A key could not be freed before its lease ended.
    NotReleased,
    /// So much is waiting that a key is left to its lease.
    Overloaded,
}

impl IncidentKind {
    /// A name for labels, the same in every version.
    pub fn name(self) -> &'static str {
        match self {
            Self::LostLease => "lost_lease",
            Self::NotRenewed => "not_renewed",
            Self::Hung => "hung",
            Self::Undone => "undone",
            Self::Superseded => "superseded",
            Self::NotRecorded => "not_recorded",
            Self::Buried => "buried",
            Self::NotReleased => "not_released",
            Self::Overloaded => "overloaded",
        }
    }
}
