use crate::store::{StoreErrorKind, StoreKey, StoreWarning};

/// Something that happened in the background.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident<'a> {
    /// What it is.
    pub kind: IncidentKind,
    /// Whose claim it is about; none when it is about many.
    pub key: Option<&'a StoreKey>,
    /// How many claims it is about.
    pub claims: usize,
    /// How the store failed, where that is why.
    pub store_error: Option<StoreErrorKind>,
}

impl<'a> Incident<'a> {
    /// About one claim.
    pub(crate) fn about_claim(kind: IncidentKind, key: &'a StoreKey) -> Self {
        Self {
            kind,
            key: Some(key),
            claims: 1,
            store_error: None,
        }
    }

    /// About many at once.
    pub(crate) fn about_claims(kind: IncidentKind, claims: usize) -> Self {
        Self {
            kind,
            key: None,
            claims,
            store_error: None,
        }
    }

    /// Because the store failed in this way.
    pub(crate) fn caused_by(mut self, error: StoreErrorKind) -> Self {
        self.store_error = Some(error);
        self
    }
}

/// What happened in the background, or what a guard has seen that looks like a mistake of set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncidentKind {
    /// A claim is another's or nobody's while its handler still runs.
    LostLease,
    /// Claims could not be renewed. It is tried again for as long as their handlers run: an expired lease can
    /// be renewed until another owner has the key.
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
    /// The first request whose body was refused, because it was larger than `max_body` (413) or stalled
    /// beyond `body_timeout` (408).
    BodyRefused,
    /// The first request that had no scope (401): the guard is wrapped outside of authentication.
    ScopeMissing,
    /// The first response that was recorded with a `Content-Encoding`, which a retry gets whether or not
    /// it accepts it: the guard is wrapped outside of `Compress`.
    EncodedResponse,
    /// Another memory store of this process has claims with the same prefix: most likely one was built
    /// for each worker, and a duplicate that another worker serves runs again.
    SecondStore,
    /// The memory store is 80 % or 95 % full of entries. A full one refuses new keys with 503.
    StoreFilling,
}

impl IncidentKind {
    /// A name for labels, the same in every version.
    pub fn as_str(self) -> &'static str {
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
            Self::BodyRefused => "body_refused",
            Self::ScopeMissing => "scope_missing",
            Self::EncodedResponse => "encoded_response",
            Self::SecondStore => "second_store",
            Self::StoreFilling => "store_filling",
        }
    }
}

impl From<StoreWarning> for IncidentKind {
    fn from(warning: StoreWarning) -> Self {
        match warning {
            StoreWarning::SecondStore => Self::SecondStore,
            StoreWarning::FillingUp => Self::StoreFilling,
        }
    }
}
