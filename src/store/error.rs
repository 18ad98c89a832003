use std::{error::Error, fmt, io};

use tokio::time::Instant;

/// A store could not be asked, or did not reply.
///
/// Opaque, because the causes are as many as there are stores. [`kind`](Self::kind) and
/// [`may_have_run`](Self::may_have_run) are what a caller can act on; the source has the details.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    may_have_run: bool,
    again_until: Option<Instant>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of failures of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached, refuses to work, or disconnected.
    Unavailable,
    /// The store did not reply in time.
    Timeout,
}

impl StoreErrorKind {
    /// Returns a name for labels, the same in every version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
        }
    }
}

impl StoreError {
    /// Returns an error of a call that was not carried out: the store cannot be reached, or refused.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            may_have_run: false,
            again_until: None,
            source: Some(source.into()),
        }
    }

    /// Returns an error of a store that disconnected before it replied; it may have carried out the call.
    pub fn interrupted(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            may_have_run: true,
            ..Self::unavailable(source)
        }
    }

    /// Returns an error of a store that did not reply in time; it may carry out the call.
    pub fn timeout() -> Self {
        Self {
            kind: StoreErrorKind::Timeout,
            may_have_run: true,
            again_until: None,
            source: None,
        }
    }

    /// The same; `source` names the server and the limit.
    #[cfg(any(feature = "redis", feature = "sql"))]
    pub(crate) fn late(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::timeout()
        }
    }

    /// The connection ended or went dead before the reply, and there is time for another try.
    #[cfg(feature = "redis")]
    pub(crate) fn connection_lost(
        source: impl Into<Box<dyn Error + Send + Sync>>,
        again_until: Instant,
    ) -> Self {
        Self {
            again_until: Some(again_until),
            ..Self::interrupted(source)
        }
    }

    /// The same failure of a second try: the first may have run.
    #[cfg(any(feature = "redis", feature = "sql"))]
    pub(crate) fn of_second_try(self) -> Self {
        Self {
            may_have_run: true,
            again_until: None,
            ..self
        }
    }

    /// Returns the same error for another call that shared the statement.
    #[cfg(feature = "sql")]
    pub(crate) fn to_another(&self) -> Self {
        Self {
            kind: self.kind,
            may_have_run: self.may_have_run,
            again_until: self.again_until,
            source: (self.source.as_ref()).map(|source| source.to_string().into()),
        }
    }

    /// Returns until when the call can be tried once more, within the time limit of the store. `Some` if a
    /// connection was lost, which is no outage.
    pub(crate) fn again_until(&self) -> Option<Instant> {
        self.again_until
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Returns whether the store may have carried out the call, or may still do so.
    pub fn may_have_run(&self) -> bool {
        self.may_have_run
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StoreErrorKind::Unavailable => f.write_str("the store is unavailable")?,
            StoreErrorKind::Timeout => f.write_str("the store did not reply in time")?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<StoreError> for io::Error {
    fn from(err: StoreError) -> Self {
        let kind = match err.kind {
            StoreErrorKind::Unavailable => io::ErrorKind::NotConnected,
            StoreErrorKind::Timeout => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, err)
    }
}
