use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use bytes::Bytes;

use super::settings::LockSettings;
use crate::{
    claim::ClaimOutcome,
    config::StoreFailure,
    event::EventBuilder,
    middleware::{Decision, OuterClaims, Refusal, RequestView},
    problem::ProblemKind,
    store::{NewClaim, StoreKey},
};

/// Decides what becomes of a request that is selected: the only place that reads it, asks the closure of
/// the application and locks.
pub(super) async fn decide(
    settings: &LockSettings,
    req: &mut ServiceRequest,
    event: &mut EventBuilder,
) -> Decision {
    let claim = match identify_operation(settings, req, event).await {
        Ok(claim) => claim,
        Err(decision) => {
            decision.report(None, settings.shadow, &settings.claims, event);
            return decision;
        }
    };
    event.start_step();
    let begun = settings.claims.begin(&claim).await;
    let decision = match ClaimOutcome::record_claim(begun, None, event) {
        Ok(ClaimOutcome::Mine(guard)) => Decision::Run(guard),
        Ok(taken) => Decision::Refuse(Refusal {
            detail: settings.error_message.clone(),
            left: taken.left(),
            ..ProblemKind::Busy.into()
        }),
        Err(err) => match settings.store_failure {
            StoreFailure::FailOpen => Decision::RunUnguarded(err),
            StoreFailure::FailClosed => Decision::unavailable(err),
        },
    };
    decision.report(Some(&claim.key), settings.shadow, &settings.claims, event);
    decision
}

/// Reads under what a request is locked.
async fn identify_operation(
    settings: &LockSettings,
    req: &mut ServiceRequest,
    event: &mut EventBuilder,
) -> Result<Arc<NewClaim>, Decision> {
    // The claim comes after the body: an upload that stalls holds no lock.
    let bytes = match settings.ignore_body {
        true => Bytes::new(),
        false => {
            let read = settings.body.read(req).await;
            let bytes = read.map_err(|err| settings.body.refuse(err, &settings.claims))?;
            event.record(|event| event.request_body = Some(bytes.len()));
            bytes
        }
    };
    let view = RequestView::new(req.request(), &bytes);
    let digest = settings.payload.digest(&view).await?;
    let digest = digest.ok_or(Decision::Pass)?;
    let key = StoreKey::new(Arc::clone(&settings.key_prefix), *digest.as_bytes());
    let claim = Arc::new(NewClaim::lock(key, settings.ttl));
    if !OuterClaims::insert(req, &claim) {
        return Err(Decision::Pass);
    }
    event.record(|event| event.key = Some(claim.key.clone()));
    Ok(claim)
}
