//! Middlewares that only watch: whatever they find out about a request, it runs.

mod kept_body;

use std::panic::AssertUnwindSafe;

use actix_service::Service;
use actix_web::{
    Error,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};
use futures_util::FutureExt;

use self::kept_body::KeptBody;
use crate::{
    claim::Claims,
    event::EventBuilder,
    middleware::{Decision, GuardedBody, status_of},
    runtime::log,
};

/// Says when a guard is built that it only watches, so that nobody relies on it by mistake.
pub(crate) fn announce(guard: &str) {
    log::info!(
        shadow = true;
        "{guard} is built as a shadow: it reports what it would do and lets every request run"
    );
}

/// Decides about a request, which has its body again afterwards. A closure of the application may panic, which
/// it does in nobody's way.
pub(crate) async fn observe(
    req: &mut ServiceRequest,
    event: &mut EventBuilder,
    claims: &Claims,
    decide: impl AsyncFnOnce(&mut ServiceRequest, &mut EventBuilder) -> Decision,
) -> Decision {
    let body = KeptBody::take(req);
    let decision = AssertUnwindSafe(decide(req, event)).catch_unwind().await;
    body.give_back(req);
    decision.unwrap_or_else(|_panic| {
        Decision::Panic.report(None, true, claims, event);
        Decision::Panic
    })
}

/// Runs a handler as if nothing stood around it, and tells what would have become of its request.
pub(crate) async fn run<S, B>(
    service: &S,
    req: ServiceRequest,
    mut event: EventBuilder,
) -> Result<ServiceResponse<EitherBody<GuardedBody<B>, BoxBody>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    event.start_step();
    let answer = service.call(req).await;
    event.end_step(|event, took| {
        event.handler_duration = Some(took);
        event.status = Some(status_of(&answer));
    });
    Ok(answer?.map_body(|_head, body| EitherBody::left(GuardedBody::free(body))))
}
