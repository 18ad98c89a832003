use super::IncidentKind;
use crate::store::{StoreErrorKind, StoreKey};

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
    pub(crate) fn of(kind: IncidentKind, key: &'a StoreKey) -> Self {
        Self {
            kind,
            key: Some(key),
            claims: 1,
            store_error: None,
        }
    }

    /// About many at once.
    pub(crate) fn of_many(kind: IncidentKind, claims: usize) -> Self {
        Self {
            kind,
            key: None,
            claims,
            store_error: None,
        }
    }

    /// Because the store failed in this way.
    pub(crate) fn because(mut self, error: Option<StoreErrorKind>) -> Self {
        self.store_error = error;
        self
    }
}
