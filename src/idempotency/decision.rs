use std::{sync::Arc, time::Duration};

use actix_web::{HttpMessage, dev::ServiceRequest};
use bytes::Bytes;
use tokio::time::Instant;

use super::{
    key::IdempotencyKey,
    key_source::Found,
    passed::Passed,
    prefer,
    replay::{remains, replay},
    settings::IdempotencySettings,
};
use crate::{
    claim::ClaimOutcome,
    config::{InFlight, StoreFailure},
    event::{EventBuilder, IncidentKind},
    middleware::{Decision, OuterClaims, Refusal, RequestView},
    problem::ProblemKind,
    store::{NewClaim, Record, StoreError},
};

/// Decides what becomes of a request that is selected: the only place that reads it, asks the closures of
/// the application and claims. Returns how long the client asked to wait, if the request has waited.
///
/// A shadow does not wait.
pub(super) async fn decide(
    settings: &Arc<IdempotencySettings>,
    req: &mut ServiceRequest,
    event: &mut EventBuilder,
) -> (Decision, Option<Duration>) {
    let claim = match identify_operation(settings, req, event).await {
        Ok(claim) => claim,
        Err(decision) => {
            decision.report(None, settings.shadow, &settings.claims, event);
            return (decision, None);
        }
    };
    let patience = patience(settings, req);
    event.start_step();
    let (begun, waited) = begin(settings, &claim, patience).await;
    let begun = ClaimOutcome::record_claim(begun, waited, event);
    let decision = decision_of(settings, begun, patience);
    decision.report(Some(&claim.key), settings.shadow, &settings.claims, event);
    let preferred = patience.filter(|patience| waited.is_some() && patience.is_preferred);
    (decision, preferred.map(|patience| patience.longest))
}

/// Claims, and waits for as long as it may. Tells how long it has waited, if it has.
async fn begin(
    settings: &IdempotencySettings,
    claim: &Arc<NewClaim>,
    patience: Option<Patience>,
) -> (Result<ClaimOutcome, StoreError>, Option<Duration>) {
    match (patience, settings.in_flight) {
        (Some(Patience { longest, .. }), InFlight::Wait(waiting))
            if !longest.is_zero() && !settings.shadow =>
        {
            let (until, most) = (Instant::now() + longest, waiting.max_waiters);
            settings.claims.begin_or_wait(claim, until, most).await
        }
        _ => (settings.claims.begin(claim).await, None),
    }
}

/// What follows from how a claim began.
fn decision_of(
    settings: &IdempotencySettings,
    begun: Result<ClaimOutcome, StoreError>,
    patience: Option<Patience>,
) -> Decision {
    match begun {
        Ok(ClaimOutcome::Mine(guard)) => Decision::Run(guard),
        Ok(ClaimOutcome::InFlight { left, .. }) => {
            let waits = patience.is_some_and(|patience| !patience.longest.is_zero());
            match waits && settings.shadow {
                true => Decision::Wait { left },
                false => Decision::Refuse(Refusal {
                    left,
                    ..ProblemKind::InFlight.into()
                }),
            }
        }
        Ok(ClaimOutcome::Finished(Record::Response(answer))) => {
            match replay(answer, settings.recording.header_of_replays()) {
                Some(response) => Decision::Replay(response),
                None => ProblemKind::ResponseNotStored.into(),
            }
        }
        Ok(ClaimOutcome::Finished(Record::Tombstone(tombstone))) => Decision::Refuse(Refusal {
            extensions: remains(&tombstone),
            ..ProblemKind::ResponseNotStored.into()
        }),
        Ok(ClaimOutcome::Unreadable) => ProblemKind::ResponseNotStored.into(),
        Ok(ClaimOutcome::Mismatch) => ProblemKind::KeyReused.into(),
        Ok(ClaimOutcome::Expired) => ProblemKind::OutcomeUnknown.into(),
        Err(err) => match settings.store_failure {
            StoreFailure::FailOpen => Decision::RunUnguarded(err),
            StoreFailure::FailClosed => Decision::unavailable(err),
        },
    }
}

/// Reads what makes the request this operation: key, body, scope, fingerprint.
async fn identify_operation(
    settings: &Arc<IdempotencySettings>,
    req: &mut ServiceRequest,
    event: &mut EventBuilder,
) -> Result<Arc<NewClaim>, Decision> {
    // A bad key costs neither the body nor a call to the store.
    let in_head = settings.key.in_head(req.headers());
    let in_head = match in_head {
        Some(found) => Some(key_of(settings, req, found).map_err(without_key)?),
        None => None,
    };
    // The claim comes after the body: an upload that stalls holds no key.
    let bytes = match settings.body.read(req).await {
        Ok(bytes) => bytes,
        Err(err) => return Err(settings.body.refuse(err, &settings.claims)),
    };
    event.record(|event| event.request_body = Some(bytes.len()));
    let claim = claim_of(settings, req, &bytes, in_head).await?;
    event.record(|event| event.key = Some(claim.key.clone()));
    Ok(claim)
}

async fn claim_of(
    settings: &Arc<IdempotencySettings>,
    req: &ServiceRequest,
    bytes: &Bytes,
    in_head: Option<IdempotencyKey>,
) -> Result<Arc<NewClaim>, Decision> {
    let view = RequestView::new(req.request(), bytes);
    let key = match in_head {
        Some(key) => key,
        None => {
            let found = settings.key.in_request(&view).await?;
            key_of(settings, req, found).map_err(without_key)?
        }
    };
    let scope = settings.scope.resolve(&view).await?;
    let Some(scope) = scope else {
        settings.claims.report_once(
            IncidentKind::ScopeMissing,
            format_args!(
                "a request has no scope and was refused with 401: wrap Idempotency inside of the \
                 authentication (in actix the last wrap is the outermost), or let requests share a \
                 scope with Scope::or_anonymous"
            ),
        );
        return Err(ProblemKind::ScopeMissing.into());
    };
    let fingerprint = settings.fingerprinting.fingerprint(&view).await?;
    let store_key = settings.store_key(&scope, req.method(), req.path(), &key);
    let claim = Arc::new(settings.terms.new_claim(store_key, fingerprint));
    if !OuterClaims::insert(req, &claim) {
        return Err(Decision::Pass);
    }
    req.extensions_mut().insert(key);
    Ok(claim)
}

/// The key, or what is wrong with it; `None` when the request need not have one.
fn key_of(
    settings: &Arc<IdempotencySettings>,
    req: &ServiceRequest,
    found: Found,
) -> Result<IdempotencyKey, Option<ProblemKind>> {
    match found {
        Found::Key(key) => Ok(key),
        Found::Nothing if settings.required => Err(Some(ProblemKind::KeyMissing)),
        Found::Nothing => {
            Passed::note(req, settings, true);
            Err(None)
        }
        Found::Invalid => Err(Some(ProblemKind::KeyInvalid)),
    }
}

fn without_key(problem: Option<ProblemKind>) -> Decision {
    problem.map_or(Decision::Pass, Decision::from)
}

/// How a request waits for another.
#[derive(Clone, Copy)]
struct Patience {
    longest: Duration,
    /// Whether the client has asked for it.
    is_preferred: bool,
}

/// How this request waits for another, if it does.
fn patience(settings: &IdempotencySettings, req: &ServiceRequest) -> Option<Patience> {
    let InFlight::Wait(waiting) = settings.in_flight else {
        return None;
    };
    let honored = waiting.honor_prefer;
    let preferred = honored.then(|| prefer::wait(req.headers())).flatten();
    Some(Patience {
        longest: preferred.map_or(waiting.limit, |wait| wait.min(waiting.limit)),
        is_preferred: preferred.is_some(),
    })
}
