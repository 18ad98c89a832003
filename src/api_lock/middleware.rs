use std::{rc::Rc, sync::Arc};

use actix_service::{Service, forward_ready};
use actix_web::{
    Error,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::{settings::Settings, shadow};
use crate::{
    claim::{Begun, Guard},
    event::{Notes, Outcome},
    middleware::{GuardedBody, HeldKeys, Refused, RequestView, status},
    problem::{OwnAnswer, ProblemKind},
    store::{NewClaim, StoreKey},
};

/// [`ApiLock`](super::ApiLock) around a service.
#[derive(Debug)]
pub struct ApiLockMiddleware<S> {
    service: Rc<S>,
    settings: Arc<Settings>,
}

impl<S> ApiLockMiddleware<S> {
    pub(super) fn new(service: S, settings: Arc<Settings>) -> Self {
        Self {
            service: Rc::new(service),
            settings,
        }
    }
}

/// The handler's body, or one of ours. A handler's body that is in memory moves to the right
/// side when its lock has been released.
type Body<B> = EitherBody<GuardedBody<B>, BoxBody>;
pub(super) type Response<B> = ServiceResponse<Body<B>>;

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
        if self.settings.shadow {
            let settings = Arc::clone(&self.settings);
            return Box::pin(shadow::watched(settings, service, req));
        }
        if !self.settings.selection.selects(req.head()) {
            return Box::pin(async move { Ok(unguarded(service.call(req).await?)) });
        }
        let settings = Arc::clone(&self.settings);
        Box::pin(guarded(settings, service, req))
    }
}

async fn guarded<S, B>(
    settings: Arc<Settings>,
    service: Rc<S>,
    mut req: ServiceRequest,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let mut notes = settings.claims.notes();
    // The claim comes after the body: an upload that stalls holds no lock.
    let bytes = if settings.ignore_body {
        Bytes::new()
    } else {
        match settings.body.read(&mut req).await {
            Ok(bytes) => bytes,
            Err(err) => {
                return Ok(match settings.body.refuse(err, &settings.claims) {
                    Ok(refused) => refuse(&settings, req, refused, notes),
                    Err(err) => failed(req, err, notes),
                });
            }
        }
    };
    let is_read = !settings.ignore_body;
    notes.note(|event| event.request_body = is_read.then_some(bytes.len()));

    let view = RequestView::new(req.request(), &bytes);
    let digest = match settings.payload.call(&view).await {
        Ok(Some(digest)) => digest,
        Ok(None) => {
            notes.forget();
            return Ok(unguarded(service.call(req).await?));
        }
        Err(err) => return Ok(failed(req, err, notes)),
    };
    drop(bytes);

    let key = StoreKey::new(Arc::clone(&settings.key_prefix), *digest.as_bytes());
    let claim = Arc::new(NewClaim::lock(key, settings.ttl));
    if !HeldKeys::insert(&req, &claim) {
        notes.forget();
        return Ok(unguarded(service.call(req).await?));
    }
    let key = &claim.key;
    notes.note(|event| event.key = Some(key.clone()));
    notes.step_begins();
    let begun = settings.claims.begin(&claim).await;
    match Begun::noted(begun, None, &mut notes) {
        Ok(Begun::Mine(guard)) => run(guard.observed(notes), &*service, req).await,
        Ok(taken) => {
            Begun::log_in_flight(key, taken.left());
            Ok(refuse(&settings, req, settings.busy(), notes))
        }
        Err(err) if settings.silent => {
            log::warn!(
                key:%, outcome = "unguarded", error:% = err;
                "{key} runs unguarded: {err}"
            );
            notes.note(|event| event.outcome = Outcome::Unguarded);
            notes.step_begins();
            let answer = service.call(req).await;
            notes.step_ends(|event, took| {
                event.handler = Some(took);
                event.status = Some(status::of(&answer));
            });
            Ok(unguarded(answer?))
        }
        Err(err) => {
            settings.claims.log_refusal(key, &err, false);
            let refused = Refused::from(ProblemKind::StoreUnavailable);
            Ok(refuse(&settings, req, refused, notes))
        }
    }
}

/// Runs the handler, and settles before its answer goes out where that is possible: a client
/// that has its whole answer must not meet its own lock.
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
        guard.settle().await;
    }
    answer
}

/// What the client is answered, and the guard if it can be settled by now.
fn conclude<B: MessageBody + 'static>(
    answer: Result<ServiceResponse<B>, Error>,
    mut guard: Guard,
) -> (Result<Response<B>, Error>, Option<Guard>) {
    guard.worked(status::of(&answer));
    let mut guard = Some(guard);
    let answer =
        answer.map(|answer| answer.map_body(|_head, body| in_memory_or_guarded(body, &mut guard)));
    (answer, guard)
}

/// Takes the guard when the body is still to come.
fn in_memory_or_guarded<B: MessageBody + 'static>(body: B, guard: &mut Option<Guard>) -> Body<B> {
    // Nobody will ask for it. As bytes, no body and an empty one would look the same, and they are
    // sent differently.
    if body.size().is_eof() {
        return EitherBody::left(GuardedBody::free(body));
    }
    match body.try_into_bytes() {
        Ok(bytes) => EitherBody::right(BoxBody::new(bytes)),
        Err(body) => EitherBody::left(match guard.take() {
            Some(guard) => GuardedBody::guarded(body, guard),
            None => GuardedBody::free(body),
        }),
    }
}

fn unguarded<B: MessageBody>(answer: ServiceResponse<B>) -> Response<B> {
    answer.map_body(|_head, body| EitherBody::left(GuardedBody::free(body)))
}

/// The answer to a request that has failed before its handler ran.
fn failed<B>(req: ServiceRequest, err: impl Into<Error>, mut notes: Notes) -> Response<B> {
    let mut answer = req.error_response(err);
    notes.note(|event| {
        event.outcome = Outcome::Failed;
        event.status = Some(answer.status().as_u16());
    });
    OwnAnswer::mark(answer.response_mut());
    answer.map_into_right_body()
}

/// An answer of our own. Never an `Err`: the access log, `ErrorHandlers` and `DefaultHeaders`
/// would not see it.
fn refuse<B>(
    settings: &Settings,
    req: ServiceRequest,
    Refused { kind, detail }: Refused,
    mut notes: Notes,
) -> Response<B> {
    let answer = settings.problems.response(kind, detail, Vec::new());
    notes.note(|event| {
        event.outcome = kind.outcome();
        event.problem = Some(kind.name());
        event.status = Some(answer.status().as_u16());
    });
    req.into_response(answer).map_into_right_body()
}
