use std::{rc::Rc, sync::Arc};

use actix_service::Service;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
};
use bytes::Bytes;

use super::{
    middleware::{Response, run},
    settings::Settings,
};
use crate::{
    claim::{Begun, Guard},
    event::Notes,
    middleware::{
        HeldKeys, RequestView,
        shadow::{self, KeptBody, Would},
    },
    problem::ProblemKind,
    store::{NewClaim, StoreKey},
};

/// Runs a request whatever is found out about it; the first one of its kind under a lock.
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
        Ok(guard) => run(guard.observed(notes), &*service, req).await,
        Err(would) => shadow::run(&*service, req, would, notes).await,
    }
}

/// The lock, or what is in its way.
async fn judged(
    settings: &Settings,
    req: &mut ServiceRequest,
    notes: &mut Notes,
) -> Result<Guard, Would> {
    let key = key_of(settings, req, notes).await.map_err(Would::logged)?;
    let claim = Arc::new(NewClaim::lock(key, settings.ttl));
    if !HeldKeys::insert(req, &claim) {
        return Err(Would::Pass);
    }
    let key = &claim.key;
    notes.note(|event| event.key = Some(key.clone()));
    notes.step_begins();
    let begun = settings.claims.begin(&claim).await;
    let would = match Begun::noted(begun, None, notes) {
        Ok(Begun::Mine(guard)) => return Ok(guard),
        Ok(_taken) => Would::Refuse(ProblemKind::Busy),
        Err(err) if settings.silent => Would::RunUnguarded(err),
        Err(err) => Would::NotRun(err),
    };
    Err(would.logged_of(key, &settings.claims))
}

/// Under what a request is locked.
async fn key_of(
    settings: &Settings,
    req: &mut ServiceRequest,
    notes: &mut Notes,
) -> Result<StoreKey, Would> {
    if !settings.selection.selects(req.head()) {
        return Err(Would::Pass);
    }
    let bytes = if settings.ignore_body {
        Bytes::new()
    } else {
        let bytes = settings.body.read(req).await.map_err(|err| {
            let refused = settings.body.refuse(err, &settings.claims);
            refused.map_or(Would::Fail(StatusCode::BAD_REQUEST), |refused| {
                Would::Refuse(refused.kind)
            })
        })?;
        notes.note(|event| event.request_body = Some(bytes.len()));
        bytes
    };
    let view = RequestView::new(req.request(), &bytes);
    let digest = settings.payload.call(&view).await?.ok_or(Would::Pass)?;
    Ok(StoreKey::new(
        Arc::clone(&settings.key_prefix),
        *digest.as_bytes(),
    ))
}
