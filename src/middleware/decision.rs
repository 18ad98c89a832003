use std::{borrow::Cow, time::Duration};

use actix_web::{Error, HttpResponse};

use crate::{
    claim::{Claims, Guard},
    event::{EventBuilder, Outcome},
    problem::{Extension, GeneratedResponse, ProblemKind, Problems},
    runtime::log,
    store::{StoreError, StoreKey},
};

/// What a middleware does with a request. Each middleware decides in one place; a real one enforces the
/// decision, a shadow reports it and lets the request run.
#[derive(Debug)]
pub(crate) enum Decision {
    /// The request is not guarded.
    Pass,
    /// The request runs under a claim.
    Run(Guard),
    /// The request runs without a claim, because the store could not be asked.
    RunUnguarded(StoreError),
    /// The request would wait for the original request: a shadow does not wait.
    Wait {
        /// How long the lease of the original request still lasts, where that is known.
        left: Option<Duration>,
    },
    /// The request gets the recorded response.
    Replay(HttpResponse),
    /// The request gets a problem.
    Refuse(Refusal),
    /// A closure of the application, or the client's connection, has failed.
    Fail(Error),
    /// A closure of the application has panicked under a shadow.
    Panic,
}

/// The problem that a request gets.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: ProblemKind,
    /// `None` for the default one.
    pub(crate) detail: Option<Cow<'static, str>>,
    pub(crate) extensions: Vec<Extension>,
    /// How long the lease that is in the way still lasts, where that is known.
    pub(crate) left: Option<Duration>,
    /// Why the store could not be asked, if that is the reason.
    pub(crate) error: Option<StoreError>,
}

impl From<ProblemKind> for Refusal {
    fn from(kind: ProblemKind) -> Self {
        Self {
            kind,
            detail: None,
            extensions: Vec::new(),
            left: None,
            error: None,
        }
    }
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<ProblemKind> for Decision {
    fn from(kind: ProblemKind) -> Self {
        Self::Refuse(kind.into())
    }
}

impl From<Error> for Decision {
    fn from(err: Error) -> Self {
        Self::Fail(err)
    }
}

impl Decision {
    /// The store could not be asked, and the request does not run.
    pub(crate) fn unavailable(err: StoreError) -> Self {
        Self::Refuse(Refusal {
            error: Some(err),
            ..ProblemKind::StoreUnavailable.into()
        })
    }

    /// Logs the decision, and records it for the observer. A run is recorded by its guard.
    pub(crate) fn report(
        &self,
        key: Option<&StoreKey>,
        is_shadow: bool,
        claims: &Claims,
        event: &mut EventBuilder,
    ) {
        let outcome = match self {
            Self::Pass => return event.discard(),
            Self::Run(_) => return,
            Self::RunUnguarded(_) => Outcome::Unguarded,
            Self::Wait { .. } => Outcome::InFlight,
            Self::Replay(_) => Outcome::Replayed,
            Self::Refuse(refusal) => refusal.kind.outcome(),
            Self::Fail(_) | Self::Panic => Outcome::Failed,
        };
        let problem = match self {
            Self::Refuse(refusal) => Some(refusal.kind.as_str()),
            _ => None,
        };
        event.record(|event| {
            event.outcome = outcome;
            event.problem = problem;
        });
        match key {
            Some(key) => self.log_of(key, outcome.as_str(), is_shadow, claims),
            None => self.log(outcome.as_str(), is_shadow),
        }
    }

    /// The response to a request that does not run, marked as one of this crate's own.
    pub(crate) fn response(self, problems: &Problems) -> HttpResponse {
        match self {
            Self::Replay(response) => response,
            Self::Refuse(refusal) => {
                problems.response(refusal.kind, refusal.detail, refusal.extensions)
            }
            Self::Fail(err) => {
                let mut response = HttpResponse::from_error(err);
                GeneratedResponse::mark(&mut response);
                response
            }
            // They run, so nothing asks for their response.
            Self::Pass | Self::Run(_) | Self::RunUnguarded(_) | Self::Wait { .. } | Self::Panic => {
                HttpResponse::InternalServerError().finish()
            }
        }
    }

    /// Logs a decision that has no key. Never the text of an application's error, which may repeat what a
    /// client has sent.
    fn log(&self, outcome: &'static str, shadow: bool) {
        let answered = answered_with(shadow);
        match self {
            Self::Refuse(Refusal { kind, .. }) => {
                let problem = kind.as_str();
                log::debug!(outcome, problem, shadow; "a request {answered} {problem}");
            }
            Self::Fail(err) => {
                let status = err.as_response_error().status_code();
                if status.is_server_error() {
                    log::warn!(
                        outcome, status = status.as_u16(), shadow;
                        "a closure of the application has failed, and its request {answered} {status}"
                    );
                } else {
                    log::debug!(
                        outcome, status = status.as_u16(), shadow;
                        "a request {answered} {status} before its handler"
                    );
                }
            }
            Self::Panic => log::error!(
                outcome, shadow;
                "a closure of the application has panicked; its request runs all the same"
            ),
            _ => {}
        }
    }

    /// Logs a decision about a key.
    fn log_of(&self, key: &StoreKey, outcome: &'static str, shadow: bool, claims: &Claims) {
        let answered = answered_with(shadow);
        match self {
            Self::Replay(_) => {
                let replayed = if shadow {
                    "would have been replayed"
                } else {
                    "is replayed"
                };
                log::debug!(key:%, outcome, shadow; "{key} {replayed}");
            }
            Self::RunUnguarded(err) => {
                let runs = match shadow {
                    true => "would have run unguarded",
                    false => "runs unguarded",
                };
                log::warn!(key:%, outcome, error:% = err, shadow; "{key} {runs}: {err}");
            }
            Self::Wait { left } => match left.map(|left| left.as_millis()) {
                Some(left_ms) => log::debug!(
                    key:%, outcome, left_ms:%, shadow;
                    "{key} is in flight, and would have been waited for"
                ),
                None => log::debug!(
                    key:%, outcome, shadow;
                    "{key} is in flight, and would have been waited for"
                ),
            },
            Self::Refuse(Refusal {
                error: Some(err), ..
            }) => claims.log_refusal(key, err, shadow),
            Self::Refuse(Refusal { kind, left, .. }) => {
                let problem = kind.as_str();
                match left.map(|left| left.as_millis()) {
                    Some(left_ms) => log::debug!(
                        key:%, outcome, problem, left_ms:%, shadow;
                        "{key} {answered} {problem}: its lease lasts {left_ms} ms more"
                    ),
                    None => log::debug!(
                        key:%, outcome, problem, shadow;
                        "{key} {answered} {problem}"
                    ),
                }
            }
            Self::Pass | Self::Run(_) | Self::Fail(_) | Self::Panic => {}
        }
    }
}

fn answered_with(shadow: bool) -> &'static str {
    match shadow {
        true => "would have been answered with",
        false => "is answered with",
    }
}
