use actix_web::HttpResponse;

use super::{
    refusal::Refusal,
    replay::{remains, replay},
    settings::Settings,
};
use crate::{
    claim::{Begun, Guard},
    config::StoreFailure,
    problem::ProblemKind,
    store::{Record, StoreError, StoreKey},
};

/// What a request is that is not refused.
pub(super) enum First {
    Runs(Guard),
    Repeats(HttpResponse),
    Unguarded(StoreError),
}

impl First {
    /// What follows from how its claim began.
    pub(super) fn of(
        settings: &Settings,
        key: &StoreKey,
        begun: Result<Begun, StoreError>,
    ) -> Result<Self, Refusal> {
        let kind = match begun {
            Ok(Begun::Mine(guard)) => return Ok(Self::Runs(guard)),
            Ok(Begun::Finished(Record::Answer(answer))) => {
                match replay(answer, settings.recording.header_of_replays()) {
                    Some(answer) => return Ok(Self::Repeats(answer)),
                    None => ProblemKind::ResponseNotStored,
                }
            }
            Ok(Begun::Finished(Record::Tombstone(tombstone))) => {
                let kind = ProblemKind::ResponseNotStored;
                log_refused(key, kind);
                return Err(Refusal::Problem {
                    kind,
                    detail: None,
                    extensions: remains(&tombstone),
                });
            }
            Ok(Begun::Unreadable) => ProblemKind::ResponseNotStored,
            Ok(Begun::InFlight { left, .. }) => {
                Begun::log_in_flight(key, left);
                return Err(ProblemKind::InFlight.into());
            }
            Ok(Begun::Mismatch) => ProblemKind::KeyReused,
            Ok(Begun::Lapsed) => ProblemKind::OutcomeUnknown,
            Err(err) => match settings.store_failure {
                StoreFailure::FailOpen => return Ok(Self::Unguarded(err)),
                StoreFailure::FailClosed => {
                    settings.claims.log_refusal(key, &err, false);
                    return Err(ProblemKind::StoreUnavailable.into());
                }
            },
        };
        log_refused(key, kind);
        Err(kind.into())
    }
}

fn log_refused(key: &StoreKey, kind: ProblemKind) {
    let (outcome, problem) = (kind.outcome().name(), kind.name());
    log::debug!(key:%, outcome, problem; "{key} is answered with {problem}");
}
