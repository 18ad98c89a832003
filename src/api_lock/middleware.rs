use std::{rc::Rc, sync::Arc};

use actix_service::{Service, forward_ready};
use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};
use futures_util::future::LocalBoxFuture;

use super::{decision::decide, settings::LockSettings, shadow};
use crate::{
    claim::Guard,
    middleware::{Decision, GuardedBody, ResponseBody, status_of},
};

/// [`ApiLock`](super::ApiLock) around a service.
#[derive(Debug)]
pub struct ApiLockMiddleware<S> {
    service: Rc<S>,
    settings: Arc<LockSettings>,
}

impl<S> ApiLockMiddleware<S> {
    pub(super) fn new(service: S, settings: Arc<LockSettings>) -> Self {
        Self {
            service: Rc::new(service),
            settings,
        }
    }
}

pub(super) type Response<B> = ServiceResponse<ResponseBody<B>>;

impl<S, B> Service<ServiceRequest> for ApiLockMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let service = Rc::clone(&self.service);
        let settings = Arc::clone(&self.settings);
        if settings.shadow {
            return Box::pin(shadow::observed(settings, service, req));
        }
        if !settings.filter.selects(req.head()) {
            return Box::pin(async move { Ok(unguarded(service.call(req).await?)) });
        }
        Box::pin(guarded(settings, service, req))
    }
}

async fn guarded<S, B>(
    settings: Arc<LockSettings>,
    service: Rc<S>,
    mut req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let mut event = settings.claims.begin_event();
    match decide(&settings, &mut req, &mut event).await {
        Decision::Run(guard) => run(guard.observed(event), &*service, req).await,
        Decision::Pass => Ok(unguarded(service.call(req).await?)),
        Decision::RunUnguarded(_) => {
            event.start_step();
            let answer = service.call(req).await;
            event.end_step(|event, took| {
                event.handler_duration = Some(took);
                event.status = Some(status_of(&answer));
            });
            Ok(unguarded(answer?))
        }
        decision => {
            let response = decision.response(&settings.problems);
            event.record(|event| event.status = Some(response.status().as_u16()));
            Ok(req.into_response(response).map_into_right_body())
        }
    }
}

/// Runs the handler, and releases the lock before the response is sent if that is possible: a client that has
/// its whole response must not meet its own lock.
pub(super) async fn run<S, B>(
    guard: Guard,
    service: &S,
    req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let answer = service.call(req).await;
    let (answer, guard) = conclude(answer, guard);
    if let Some(guard) = guard {
        guard.finish().await;
    }
    answer
}

/// The response, and the guard if it can be finished by now.
fn conclude<B: MessageBody + 'static>(
    answer: Result<ServiceResponse<B>, Error>,
    mut guard: Guard,
) -> (Result<Response<B>, Error>, Option<Guard>) {
    guard.worked(status_of(&answer));
    let mut guard = Some(guard);
    let answer =
        answer.map(|answer| answer.map_body(|_head, body| in_memory_or_guarded(body, &mut guard)));
    (answer, guard)
}

/// Takes the guard when the body is still to come.
fn in_memory_or_guarded<B: MessageBody + 'static>(
    body: B,
    guard: &mut Option<Guard>,
) -> ResponseBody<B> {
    // Nobody will ask for it. As bytes, no body and an empty one would look the same, and they are
    // sent differently.
    if body.size().is_eof() {
        return ResponseBody::left(GuardedBody::free(body));
    }
    match body.try_into_bytes() {
        Ok(bytes) => ResponseBody::right(BoxBody::new(bytes)),
        Err(body) => ResponseBody::left(match guard.take() {
            Some(guard) => GuardedBody::guarded(body, guard),
            None => GuardedBody::free(body),
        }),
    }
}

fn unguarded<B: MessageBody>(answer: ServiceResponse<B>) -> Response<B> {
    answer.map_body(|_head, body| ResponseBody::left(GuardedBody::free(body)))
}
