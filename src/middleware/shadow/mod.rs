//! Middlewares that only watch: whatever they find out about a request, it runs.

mod kept_body;

use std::{future::Future, panic::AssertUnwindSafe};

use actix_service::Service;
use actix_web::{
    Error,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};
use futures_util::FutureExt;

pub(crate) use self::kept_body::KeptBody;
use crate::{
    event::Notes,
    middleware::{Decision, GuardedBody, status},
    runtime::log,
};

/// Says when a guard is built that it only watches, so that nobody relies on it by mistake.
pub(crate) fn announce(guard: &str) {
    log::info!(
        shadow = true;
        "{guard} is built as a shadow: it reports what it would do and lets every request run"
    );
}

/// What is decided; `None` when a closure of the application has panicked, which it does in nobody's way.
pub(crate) async fn caught(decided: impl Future<Output = Decision>) -> Option<Decision> {
    AssertUnwindSafe(decided).catch_unwind().await.ok()
}

/// Runs a handler as if nothing stood around it, and tells what would have become of its request.
pub(crate) async fn run<S, B>(
    service: &S,
    req: ServiceRequest,
    mut notes: Notes,
) -> Result<ServiceResponse<EitherBody<GuardedBody<B>, BoxBody>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    notes.step_begins();
    let answer = service.call(req).await;
    notes.step_ends(|event, took| {
        event.handler = Some(took);
        event.status = Some(status::of(&answer));
    });
    Ok(answer?.map_body(|_head, body| EitherBody::left(GuardedBody::free(body))))
}
