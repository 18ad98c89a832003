use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    rc::Rc,
    sync::Arc,
};

use actix_service::Service;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use futures_util::FutureExt;

use super::{
    middleware::{Response, claim_of, patience},
    passed::Passed,
    refusal::Refusal,
    replay::replay,
    run::Run,
    settings::Settings,
};
use crate::{
    claim::{Begun, Guard},
    config::{LostOwner, StoreFailure},
    event::Notes,
    middleware::shadow::{self, KeptBody, Would},
    problem::ProblemKind,
    store::{NewClaim, Record, StoreError},
};

/// Runs a request whatever is found out about it; the first one with its key under a claim.
pub(super) async fn watched<S, B>(
    settings: Arc<Settings>,
    service: Rc<S>,
    mut req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let mut notes = settings.claims.notes().in_shadow();
    let body = KeptBody::of(&mut req);
    let judged = shadow::judged(judged(&settings, &mut req, &mut notes)).await;
    body.give_back(&mut req);
    match judged {
        Ok((guard, claim)) => {
            let run = Run {
                settings: &settings,
                service: &*service,
                claim: &claim,
            };
            first(run, guard.observed(notes), req).await
        }
        Err(would) => {
            if matches!(would, Would::Pass) {
                let lacks_key = settings.selection.selects(req.head());
                Passed::note(&req, &settings, lacks_key);
            }
            shadow::run(&*service, req, would, notes).await
        }
    }
}

/// The claim, or what is in its way.
async fn judged(
    settings: &Settings,
    req: &mut ServiceRequest,
    notes: &mut Notes,
) -> Result<(Guard, Arc<NewClaim>), Would> {
    if !settings.selection.selects(req.head()) {
        return Err(Would::Pass);
    }
    let claim = claim_of(settings, req, notes).await;
    let claim = claim.map_err(|refusal| Would::from(refusal).logged())?;
    let waits = patience(settings, req).is_some_and(|patience| !patience.longest.is_zero());
    notes.step_begins();
    let begun = settings.claims.begin(&claim).await;
    let begun = Begun::noted(begun, None, notes);
    let guard = first_of(settings, begun, waits)
        .map_err(|would| would.logged_of(&claim.key, &settings.claims))?;
    Ok((guard, claim))
}

/// What follows from how a claim began.
fn first_of(
    settings: &Settings,
    begun: Result<Begun, StoreError>,
    waits: bool,
) -> Result<Guard, Would> {
    let would = match begun {
        Ok(Begun::Mine(guard)) => return Ok(guard),
        Ok(Begun::InFlight { .. }) if waits => Would::Wait,
        Ok(Begun::InFlight { .. }) => Would::Refuse(ProblemKind::InFlight),
        Ok(Begun::Mismatch) => Would::Refuse(ProblemKind::KeyReused),
        Ok(Begun::Lapsed) => Would::Refuse(ProblemKind::OutcomeUnknown),
        Ok(Begun::Finished(Record::Answer(answer))) => {
            match replay(answer, settings.recording.header_of_replays()) {
                Some(_answer) => Would::Replay,
                None => Would::Refuse(ProblemKind::ResponseNotStored),
            }
        }
        Ok(Begun::Finished(Record::Tombstone(_)) | Begun::Unreadable) => {
            Would::Refuse(ProblemKind::ResponseNotStored)
        }
        Err(err) => match settings.store_failure {
            StoreFailure::FailClosed => Would::NotRun(err),
            StoreFailure::FailOpen => Would::RunUnguarded(err),
        },
    };
    Err(would)
}

impl From<Refusal> for Would {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Pass => Self::Pass,
            Refusal::Problem { kind, .. } => Self::Refuse(kind),
            Refusal::Error(err) => err.into(),
        }
    }
}

/// Runs a handler under its claim, and lets it end as it does without: with its client, or in a
/// panic.
async fn first<S, B>(
    run: Run<'_, S>,
    mut guard: Guard,
    req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    run.begins(&mut guard, &req);
    // Cut off by its client it would have run to its end. No retry is to be told that nobody knows.
    guard.free_on_drop();
    let handler = async { run.service.call(req).await };
    let outcome = AssertUnwindSafe(handler).catch_unwind().await;
    let answer = outcome.unwrap_or_else(|panic| {
        if run.settings.terms.lost_owner == LostOwner::Refuse {
            guard.lapse_on_drop();
        }
        resume_unwind(panic)
    });
    let (answer, guard) = run.conclude(guard, Ok(answer));
    if let Some(guard) = guard {
        guard.settle().await;
    }
    answer
}
