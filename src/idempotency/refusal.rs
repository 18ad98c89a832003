use std::borrow::Cow;

use actix_web::Error;

use crate::{
    middleware::Refused,
    problem::{Extension, ProblemKind},
};

/// Why a request does not run under a claim.
pub(super) enum Refusal {
    /// Nothing is asked of the middleware: the request passes.
    Pass,
    /// It is told a problem.
    Problem {
        kind: ProblemKind,
        /// Unless the usual one says all.
        detail: Option<Cow<'static, str>>,
        extensions: Vec<Extension>,
    },
    /// A closure of the application, or the client's connection, has failed.
    Error(Error),
}

impl Refusal {
    /// Says so in the log, before it is known what the request is about.
    pub(super) fn logged(self) -> Self {
        if let Self::Problem { kind, .. } = &self {
            let (outcome, problem) = (kind.outcome().name(), kind.name());
            log::debug!(outcome, problem; "a request is answered with {problem}");
        }
        self
    }
}

impl From<ProblemKind> for Refusal {
    fn from(kind: ProblemKind) -> Self {
        Self::Problem {
            kind,
            detail: None,
            extensions: Vec::new(),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Problem {
            kind: refused.kind,
            detail: refused.detail,
            extensions: Vec::new(),
        }
    }
}

impl From<Error> for Refusal {
    fn from(err: Error) -> Self {
        Self::Error(err)
    }
}
