use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    rc::Rc,
    sync::Arc,
};

use actix_service::Service;
use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
};
use futures_util::FutureExt;

use super::{
    claim::Claim, decision::decide, middleware::Response, passed::Passed, run::HandlerRun,
    settings::IdempotencySettings,
};
use crate::{
    claim::Guard,
    config::ExpiredLease,
    middleware::{Decision, shadow},
};

/// Runs a request whatever is decided about it; the first one with its key under a claim, and the others with what
/// stands for one.
pub(super) async fn observed<S, B>(
    settings: Arc<IdempotencySettings>,
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
            return decide(&settings, req, event).await.0;
        }
        Passed::note(req, &settings, false);
        event.discard();
        Decision::Pass
    });
    match decision.await {
        Decision::Run(guard) => {
            let run = HandlerRun {
                settings: &settings,
                service: &*service,
            };
            first(run, guard.observed(event), req).await
        }
        Decision::Pass => shadow::run(&*service, req, event).await,
        _ => {
            {
                let mut extensions = req.extensions_mut();
                if !extensions.contains::<Claim>() {
                    extensions.insert(Claim::of_shadow(&settings));
                }
            }
            shadow::run(&*service, req, event).await
        }
    }
}

/// Runs a handler under its claim, and lets it end as it does without: with its client, or in a
/// panic.
async fn first<S, B>(
    run: HandlerRun<'_, S>,
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
        if run.settings.terms.expired_lease == ExpiredLease::Refuse {
            guard.lapse_on_drop();
        }
        resume_unwind(panic)
    });
    let (answer, guard) = run.conclude(guard, Ok(answer));
    if let Some(guard) = guard {
        guard.finish().await;
    }
    answer
}
