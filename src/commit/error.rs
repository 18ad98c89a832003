use std::{error::Error, fmt};

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use crate::{
    claim::CommitRefused,
    problem::{GeneratedResponse, ProblemKind, Problems},
};

/// A transaction that did not commit, or may not have.
///
/// As a handler's response it is the problem `store-unavailable` of the guard, 503 with `Retry-After`, so `?` is
/// right: the key becomes free, and a retry meets the truth. It is 500 if the commit could not even begin, because the
/// program is mistaken. It is recorded under no rule.
///
/// Opaque; [`kind`](Self::kind) is what a caller can act on.
#[derive(Debug)]
pub struct CommitError {
    kind: CommitErrorKind,
    source: Box<dyn Error + Send + Sync>,
    responder: Responder,
}

/// The kinds of failures of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitErrorKind {
    /// The claim has another owner by now, or none. The transaction is rolled back.
    Lost,
    /// The database refused the transaction, or the connection ended before the commit was sent. It is rolled back,
    /// and the claim can be used again: for another try after a serialization failure (40001), with a response that
    /// is built anew.
    RolledBack,
    /// The connection ended, or time ran out, after the commit was sent. Whether it was carried out is open.
    InDoubt,
    /// Nothing was sent: the store has no transactions, the claim is committed already, or its handler has ended.
    Refused,
}

/// Whose problems a response is made of; none for work that has no response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Responder(pub(crate) Option<Problems>);

impl CommitError {
    pub(super) fn new(
        kind: CommitErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
        responder: Responder,
    ) -> Self {
        Self {
            kind,
            source: source.into(),
            responder,
        }
    }

    /// Returns the error of a commit that must not begin.
    pub(super) fn refused(refused: CommitRefused, responder: Responder) -> Self {
        let why = match refused {
            CommitRefused::Second => {
                "the claim is committed already, or a commit of it is in doubt; commit once, with all rows"
            }
            CommitRefused::Ended => {
                "the handler has ended; commit before it returns, not in a task that outlives it"
            }
        };
        Self::new(CommitErrorKind::Refused, why, responder)
    }

    /// Returns the error of an adapter that refuses a transaction before anything is sent.
    pub fn unusable(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(CommitErrorKind::Refused, why, Responder::default())
    }

    /// Returns the error of a transaction without a claim that is rolled back.
    pub fn without_claim(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(CommitErrorKind::RolledBack, source, Responder::default())
    }

    pub(super) fn no_transactions(responder: Responder) -> Self {
        Self::new(
            CommitErrorKind::Refused,
            "the guard's store keeps no records in the application's database; take PgStore, or commit without the \
             claim",
            responder,
        )
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> CommitErrorKind {
        self.kind
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            CommitErrorKind::Lost => "the claim is lost, and the transaction rolled back",
            CommitErrorKind::RolledBack => "the transaction is rolled back",
            CommitErrorKind::InDoubt => "the transaction may or may not be committed",
            CommitErrorKind::Refused => "the transaction cannot complete the claim",
        };
        write!(f, "{what}: {}", self.source)
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl ResponseError for CommitError {
    fn status_code(&self) -> StatusCode {
        match self.kind {
            CommitErrorKind::Refused => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if self.kind == CommitErrorKind::Refused {
            crate::runtime::log::error!("{self}");
            let mut response = HttpResponse::new(self.status_code());
            GeneratedResponse::mark(&mut response);
            return response;
        }
        let kind = ProblemKind::StoreUnavailable;
        match &self.responder.0 {
            Some(problems) => problems.response(kind, None, Vec::new()),
            None => Problems::new().response(kind, None, Vec::new()),
        }
    }
}
