use crate::store::{StoreErrorKind, StoreKey, StoreWarning};

/// Something that happened in the background, or a mistake of set-up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident<'a> {
    /// Its kind.
    pub kind: IncidentKind,
    /// The claim that it is about; none if it is about many.
    pub key: Option<&'a StoreKey>,
    /// The number of claims that it is about.
    pub claims: usize,
    /// The failure of the store, if that is the reason.
    pub store_error: Option<StoreErrorKind>,
}

impl<'a> Incident<'a> {
    /// Returns an incident about one claim.
    pub(crate) fn about_claim(kind: IncidentKind, key: &'a StoreKey) -> Self {
        Self {
            kind,
            key: Some(key),
            claims: 1,
            store_error: None,
        }
    }

    /// Returns an incident about many claims.
    pub(crate) fn about_claims(kind: IncidentKind, claims: usize) -> Self {
        Self {
            kind,
            key: None,
            claims,
            store_error: None,
        }
    }

    /// Adds how the store failed.
    pub(crate) fn caused_by(mut self, error: StoreErrorKind) -> Self {
        self.store_error = Some(error);
        self
    }
}

/// The kinds of incidents: what happens in the background, and mistakes of set-up that a guard can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IncidentKind {
    /// A claim was lost while its handler runs: its key has another owner or none.
    LostLease,
    /// Claims could not be renewed. It is tried again for as long as their handlers run: an expired lease can
    /// be renewed until another owner has the key.
    NotRenewed,
    /// A handler has run longer than `renew_for`, so its lease is no longer renewed.
    Hung,
    /// A claim that had been given up was carried out late, and was released.
    Undone,
    /// A recording in the background came too late: the key has another owner.
    Superseded,
    /// A response could not be recorded within ten minutes.
    NotRecorded,
    /// Too many responses wait to be recorded, so this one was reduced to the fact that the work is done.
    Buried,
    /// A key could not be freed before its lease ended.
    NotReleased,
    /// The background queue is full, so a key stays claimed until its lease expires.
    Overloaded,
    /// The first request whose body was refused, because it was larger than `max_body` (413) or stalled
    /// beyond `body_timeout` (408).
    BodyRefused,
    /// The first request that had no scope (401): the guard is wrapped outside of authentication.
    ScopeMissing,
    /// The first response that was recorded with a `Content-Encoding`; a retry gets it whether or not it
    /// accepts that. The guard is wrapped outside of `Compress`.
    EncodedResponse,
    /// Another memory store of this process has claims with the same prefix: most likely one was built
    /// for each worker, and a duplicate that another worker serves runs again.
    SecondStore,
    /// The memory store is 80 % or 95 % full of entries. A full one refuses new keys with 503.
    StoreFilling,
    /// It is unknown whether a transaction that completes a claim was committed: the connection ended, or the
    /// handler was dropped. Retries meet the truth.
    CommitInDoubt,
    /// A transaction that completes a claim was rolled back: the claim was lost, or the database refused.
    CommitRolledBack,
    /// A handler succeeded without a commit, although its store commits records with the application's rows. The
    /// response is recorded in a second write.
    CommitForgotten,
}

impl IncidentKind {
    /// Returns a name for labels, the same in every version.
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
            Self::CommitInDoubt => "commit_in_doubt",
            Self::CommitRolledBack => "commit_rolled_back",
            Self::CommitForgotten => "commit_forgotten",
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
