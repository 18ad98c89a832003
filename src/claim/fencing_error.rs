use std::{error::Error, fmt};

use crate::store::StoreError;

/// A claim that could not be confirmed.
///
/// As a handler's response it is a 503. Opaque; [`is_lost`](Self::is_lost) is what a caller can act on.
#[derive(Debug)]
pub struct FencingError(Option<StoreError>);

impl FencingError {
    pub(crate) fn lost() -> Self {
        Self(None)
    }

    pub(crate) fn store(err: StoreError) -> Self {
        Self(Some(err))
    }

    /// Returns whether the claim is lost for certain. Otherwise the store could not be asked.
    pub fn is_lost(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for FencingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the claim is lost; another owner may do the same work"),
            Some(_) => f.write_str("the claim could not be confirmed"),
        }
    }
}

impl Error for FencingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|err| err as _)
    }
}
