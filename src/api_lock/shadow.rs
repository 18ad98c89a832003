use std::{rc::Rc, sync::Arc};

use actix_service::Service;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};

use super::{
    decision::decide,
    middleware::{Response, run},
    settings::LockSettings,
};
use crate::middleware::{Decision, shadow};

/// Runs a request whatever is decided about it; the first one of its kind under a lock.
pub(super) async fn observed<S, B>(
    settings: Arc<LockSettings>,
    service: Rc<S>,
    mut req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let mut event = settings.claims.begin_event().in_shadow();
    let claims = &settings.claims;
    let decision = shadow::observe(&mut req, &mut event, claims, async |req, event| {
        if settings.filter.selects(req.head()) {
            return decide(&settings, req, event).await;
        }
        event.discard();
        Decision::Pass
    });
    match decision.await {
        Decision::Run(guard) => run(guard.observed(event), &*service, req).await,
        _ => shadow::run(&*service, req, event).await,
    }
}
