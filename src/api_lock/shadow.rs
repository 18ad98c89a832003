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
    settings::Settings,
};
use crate::middleware::{
    Decision,
    shadow::{self, KeptBody},
};

/// Runs a request whatever is decided about it; the first one of its kind under a lock.
pub(super) async fn observed<S, B>(
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
    let decision = async {
        if settings.filter.selects(req.head()) {
            return decide(&settings, &mut req, &mut notes).await;
        }
        notes.forget();
        Decision::Pass
    };
    let decision = shadow::caught(decision).await;
    body.give_back(&mut req);
    match decision {
        Some(Decision::Run(guard)) => return run(guard.observed(notes), &*service, req).await,
        Some(_) => {}
        None => Decision::Panic.report(None, true, &settings.claims, &mut notes),
    }
    shadow::run(&*service, req, notes).await
}
