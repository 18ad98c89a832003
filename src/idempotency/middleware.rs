use std::{rc::Rc, sync::Arc, time::Duration};

use actix_service::{Service, forward_ready};
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};
use bytes::Bytes;
use tokio::time::Instant;

use super::{
    key::IdempotencyKey,
    key_source::Found,
    prefer,
    refusal::Refusal,
    replay::{remains, replay},
    run::{Body, Run},
    run_to_end::{NoReturn, RunToEnd},
    settings::Settings,
};
use crate::{
    RequestView,
    body_reader::ReadError,
    claim::{Begun, Guard},
    guarded_body::GuardedBody,
    held_keys::HeldKeys,
    policy::{InFlight, StoreFailure},
    problem::{OwnAnswer, ProblemKind},
    store::{NewClaim, Record, StoreError},
};

/// [`Idempotency`](super::Idempotency) around a service.
#[derive(Debug)]
pub struct IdempotencyMiddleware<S> {
    service: Rc<S>,
    settings: Arc<Settings>,
}

impl<S> IdempotencyMiddleware<S> {
    pub(super) fn new(service: S, settings: Arc<Settings>) -> Self {
        Self {
            service: Rc::new(service),
            settings,
        }
    }
}

type Response<B> = ServiceResponse<Body<B>>;

impl<S, B> Service<ServiceRequest> for IdempotencyMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = RunToEnd<Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let service = Rc::clone(&self.service);
        if !self.settings.selection.selects(req.head()) {
            return RunToEnd::new(|_never| async move { unguarded(&*service, req).await });
        }
        let settings = Arc::clone(&self.settings);
        RunToEnd::new(|point| guarded(settings, service, req, point))
    }
}

async fn guarded<S, B>(
    settings: Arc<Settings>,
    service: Rc<S>,
    mut req: ServiceRequest,
    point: NoReturn,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let claim = match claim_of(&settings, &mut req).await {
        Ok(claim) => claim,
        Err(refusal) => return refuse(&settings, &*service, req, refusal).await,
    };
    let patience = patience(&settings, &req);
    let (begun, waited) = begin(&settings, &claim, patience).await;
    let key = &claim.key;
    let answer = match first(&settings, begun) {
        Ok(First::Runs(guard)) => {
            point.pass();
            let run = Run {
                settings: &settings,
                service: &*service,
                claim: &claim,
            };
            run.run(guard, req).await
        }
        Ok(First::Repeats(answer)) => {
            log::debug!("{key} is replayed");
            Ok(req.into_response(answer).map_into_right_body())
        }
        Ok(First::Unguarded(err)) => {
            log::warn!("{key} runs unguarded: {err}");
            unguarded(&*service, req).await
        }
        Err(refusal) => {
            if let Refusal::Problem(kind, _) = &refusal {
                log::debug!("{key} is answered with {}", kind.name());
            }
            refuse(&settings, &*service, req, refusal).await
        }
    };
    let mut answer = answer?;
    if waited && let Some(applied) = patience.filter(|_| settings.limits.prefer_wait) {
        note_preference(&mut answer, applied);
    }
    Ok(answer)
}

/// Claims, and waits for as long as it may. Tells whether it has waited.
async fn begin(
    settings: &Settings,
    claim: &Arc<NewClaim>,
    patience: Option<Duration>,
) -> (Result<Begun, StoreError>, bool) {
    match patience {
        None | Some(Duration::ZERO) => (settings.claims.begin(claim).await, false),
        Some(patience) => {
            let until = Instant::now() + patience;
            let most = settings.limits.most_waiters();
            settings.claims.begin_or_wait(claim, until, most).await
        }
    }
}

/// Reads what makes the request this operation: key, body, scope, fingerprint.
async fn claim_of(settings: &Settings, req: &mut ServiceRequest) -> Result<Arc<NewClaim>, Refusal> {
    // A bad key costs neither the body nor a call to the store.
    let in_head = settings.key.in_head(req.headers());
    let in_head = in_head.map(|found| key_of(settings, found)).transpose()?;
    // The claim comes after the body: an upload that stalls holds no key.
    let bytes = settings.body.read(req).await.map_err(|err| match err {
        ReadError::TooLarge => Refusal::from(ProblemKind::PayloadTooLarge),
        ReadError::Stalled => ProblemKind::BodyTimeout.into(),
        ReadError::Broken(err) => Refusal::Error(err.into()),
    })?;
    asked(settings, req, &bytes, in_head).await
}

async fn asked(
    settings: &Settings,
    req: &ServiceRequest,
    bytes: &Bytes,
    in_head: Option<IdempotencyKey>,
) -> Result<Arc<NewClaim>, Refusal> {
    let view = RequestView::new(req.request(), bytes);
    let key = match in_head {
        Some(key) => key,
        None => key_of(settings, settings.key.in_request(&view)?)?,
    };
    let scope = settings.scope.of(&view).await?;
    let scope = scope.ok_or(ProblemKind::ScopeMissing)?;
    let fingerprint = settings.fingerprinting.of(&view).await?;
    let store_key = settings.store_key(&scope, req.method(), req.path(), &key);
    let claim = Arc::new(settings.terms.new_claim(store_key, fingerprint));
    if !HeldKeys::insert(req, &claim) {
        return Err(Refusal::Pass);
    }
    req.extensions_mut().insert(key);
    Ok(claim)
}

fn key_of(settings: &Settings, found: Found) -> Result<IdempotencyKey, Refusal> {
    match found {
        Found::Key(key) => Ok(key),
        Found::Nothing if settings.required => Err(ProblemKind::KeyMissing.into()),
        Found::Nothing => Err(Refusal::Pass),
        Found::Invalid => Err(ProblemKind::KeyInvalid.into()),
    }
}

/// How long this request waits for another, if it does.
fn patience(settings: &Settings, req: &ServiceRequest) -> Option<Duration> {
    let InFlight::Wait(longest) = settings.in_flight else {
        return None;
    };
    let preferred = settings
        .limits
        .prefer_wait
        .then(|| prefer::wait(req.headers()));
    Some(
        preferred
            .flatten()
            .map_or(longest, |wait| wait.min(longest)),
    )
}

/// What a request is that is not refused.
enum First {
    Runs(Guard),
    Repeats(HttpResponse),
    Unguarded(StoreError),
}

fn first(settings: &Settings, begun: Result<Begun, StoreError>) -> Result<First, Refusal> {
    let kind = match begun {
        Ok(Begun::Mine(guard)) => return Ok(First::Runs(guard)),
        Ok(Begun::Finished(Record::Answer(answer))) => {
            match replay(answer, settings.recording.header_of_replays()) {
                Some(answer) => return Ok(First::Repeats(answer)),
                None => ProblemKind::ResponseNotStored,
            }
        }
        Ok(Begun::Finished(Record::Tombstone(tombstone))) => {
            let remains = remains(&tombstone);
            return Err(Refusal::Problem(ProblemKind::ResponseNotStored, remains));
        }
        Ok(Begun::Unreadable) => ProblemKind::ResponseNotStored,
        Ok(Begun::InFlight(_)) => ProblemKind::InFlight,
        Ok(Begun::Mismatch) => ProblemKind::KeyReused,
        Ok(Begun::Lapsed) => ProblemKind::OutcomeUnknown,
        Err(err) => match settings.store_failure {
            StoreFailure::FailOpen => return Ok(First::Unguarded(err)),
            StoreFailure::FailClosed => {
                log::warn!("a request does not run: {err}");
                ProblemKind::StoreUnavailable
            }
        },
    };
    Err(kind.into())
}

/// An answer of our own. Never an `Err`: the access log, `ErrorHandlers` and `DefaultHeaders`
/// would not see it.
async fn refuse<S, B>(
    settings: &Settings,
    service: &S,
    req: ServiceRequest,
    refusal: Refusal,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    Ok(match refusal {
        Refusal::Pass => return unguarded(service, req).await,
        Refusal::Error(err) => {
            let mut answer = req.error_response(err);
            OwnAnswer::mark(answer.response_mut());
            answer.map_into_right_body()
        }
        Refusal::Problem(kind, extensions) => req
            .into_response(settings.problems.response(kind, None, extensions))
            .map_into_right_body(),
    })
}

async fn unguarded<S, B>(service: &S, req: ServiceRequest) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let answer = service.call(req).await?;
    Ok(answer.map_body(|_head, body| Body::left(GuardedBody::free(body))))
}

fn note_preference<B>(answer: &mut ServiceResponse<B>, applied: Duration) {
    if let Ok(value) = HeaderValue::try_from(format!("wait={}", applied.as_secs())) {
        let name = HeaderName::from_static("preference-applied");
        answer.headers_mut().insert(name, value);
    }
}
