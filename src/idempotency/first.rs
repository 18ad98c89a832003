use actix_web::HttpResponse;

use super::{
    refusal::Refusal,
    replay::{remains, replay},
    settings::Settings,
};
use crate::{
    claim::{Begun, Guard},
    policy::StoreFailure,
    problem::ProblemKind,
    store::{Record, StoreError},
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
                let remains = remains(&tombstone);
                return Err(Refusal::Problem(ProblemKind::ResponseNotStored, remains));
            }
            Ok(Begun::Unreadable) => ProblemKind::ResponseNotStored,
            Ok(Begun::InFlight { .. }) => ProblemKind::InFlight,
            Ok(Begun::Mismatch) => ProblemKind::KeyReused,
            Ok(Begun::Lapsed) => ProblemKind::OutcomeUnknown,
            Err(err) => match settings.store_failure {
                StoreFailure::FailOpen => return Ok(Self::Unguarded(err)),
                StoreFailure::FailClosed => {
                    log::warn!("a request does not run: {err}");
                    ProblemKind::StoreUnavailable
                }
            },
        };
        Err(kind.into())
    }
}
