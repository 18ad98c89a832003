use actix_web::{Error, http::StatusCode};

use crate::{
    claim::Claims,
    event::{Notes, Outcome},
    problem::ProblemKind,
    store::{StoreError, StoreKey},
};

/// What would have become of a request that a shadow lets run.
#[derive(Debug)]
pub(crate) enum Would {
    /// Nothing is asked of the middleware.
    Pass,
    /// It would have been told what the first one was answered.
    Replay,
    /// It would have waited for the first one to end.
    Wait,
    /// It would have been told a problem.
    Refuse(ProblemKind),
    /// It would not have run, because the store could not be asked.
    NotRun(StoreError),
    /// It would have run all the same.
    RunUnguarded(StoreError),
    /// A closure of the application, or the connection, has failed, and this would have been the
    /// answer.
    Fail(StatusCode),
    /// A closure of the application has panicked.
    Panic,
}

impl Would {
    /// Says so in the log, before it is known what the request is about. Never what an error of the
    /// application's says: it may repeat what a client has sent.
    pub(crate) fn logged(self) -> Self {
        let outcome = self.outcome().name();
        match &self {
            Self::Refuse(kind) => {
                let problem = kind.name();
                log::debug!(
                    outcome, problem, shadow = true;
                    "a request would have been answered with {problem}"
                );
            }
            Self::Fail(status) if !status.is_server_error() => log::debug!(
                outcome, status = status.as_u16(), shadow = true;
                "a request would have been answered with {status} before its handler"
            ),
            Self::Fail(status) => log::warn!(
                outcome, status = status.as_u16(), shadow = true;
                "a closure of the application has failed; its request runs all the same"
            ),
            Self::Panic => log::error!(
                outcome, shadow = true;
                "a closure of the application has panicked; its request runs all the same"
            ),
            Self::Pass | Self::Replay | Self::Wait | Self::NotRun(_) | Self::RunUnguarded(_) => {}
        }
        self
    }

    /// Says so in the log, of a key that is known.
    pub(crate) fn logged_of(self, key: &StoreKey, claims: &Claims) -> Self {
        let outcome = self.outcome().name();
        match &self {
            Self::Replay => log::debug!(
                key:%, outcome, shadow = true;
                "{key} would have been replayed"
            ),
            Self::Wait => log::debug!(
                key:%, outcome, shadow = true;
                "{key} is in flight, and would have been waited for"
            ),
            Self::Refuse(kind) => {
                let problem = kind.name();
                log::debug!(
                    key:%, outcome, problem, shadow = true;
                    "{key} would have been answered with {problem}"
                );
            }
            Self::NotRun(err) => claims.log_refusal(key, err, true),
            Self::RunUnguarded(err) => log::warn!(
                key:%, outcome, error:% = err, shadow = true;
                "{key} would have run unguarded: {err}"
            ),
            Self::Pass | Self::Fail(_) | Self::Panic => {}
        }
        self
    }

    /// Writes it down for whoever is told of events.
    pub(super) fn noted(&self, notes: &mut Notes) {
        if let Self::Pass = self {
            return notes.forget();
        }
        notes.note(|event| {
            event.outcome = self.outcome();
            event.problem = self.problem().map(ProblemKind::name);
        });
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Pass | Self::RunUnguarded(_) => Outcome::Unguarded,
            Self::Replay => Outcome::Replayed,
            Self::Wait => Outcome::InFlight,
            Self::Refuse(kind) => kind.outcome(),
            Self::NotRun(_) => Outcome::StoreError,
            Self::Fail(_) | Self::Panic => Outcome::Failed,
        }
    }

    fn problem(&self) -> Option<ProblemKind> {
        match self {
            Self::Refuse(kind) => Some(*kind),
            Self::NotRun(_) => Some(ProblemKind::StoreUnavailable),
            Self::Pass
            | Self::RunUnguarded(_)
            | Self::Replay
            | Self::Wait
            | Self::Fail(_)
            | Self::Panic => None,
        }
    }
}

impl From<Error> for Would {
    fn from(err: Error) -> Self {
        Self::Fail(err.as_response_error().status_code())
    }
}
