use std::{rc::Rc, sync::Arc, time::Duration};

use actix_service::{Service, forward_ready};
use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};
use bytes::Bytes;
use tokio::time::Instant;

use super::{
    first::First,
    key::IdempotencyKey,
    key_source::Found,
    passed::Passed,
    prefer,
    refusal::Refusal,
    run::{Body, Run},
    run_to_end::{NoReturn, RunToEnd},
    settings::Settings,
    shadow,
};
use crate::{
    claim::Begun,
    config::InFlight,
    event::{IncidentKind, Notes, Outcome},
    middleware::{GuardedBody, HeldKeys, RequestView, status},
    problem::{OwnAnswer, ProblemKind},
    store::{NewClaim, StoreError},
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

pub(super) type Response<B> = ServiceResponse<Body<B>>;

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
        let (service, settings) = (Rc::clone(&self.service), Arc::clone(&self.settings));
        if settings.shadow {
            return RunToEnd::new(|_never| shadow::watched(settings, service, req));
        }
        if !settings.selection.selects(req.head()) {
            Passed::note(&req, &settings, false);
            return RunToEnd::new(|_never| async move { unguarded(&*service, req).await });
        }
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
    let mut notes = settings.claims.notes();
    let claim = match claim_of(&settings, &mut req, &mut notes).await {
        Ok(claim) => claim,
        Err(refusal) => {
            return refuse(&settings, &*service, req, refusal.logged(), notes).await;
        }
    };
    let patience = patience(&settings, &req);
    notes.step_begins();
    let (begun, waited) = begin(&settings, &claim, patience).await;
    let begun = Begun::noted(begun, waited, &mut notes);
    let key = &claim.key;
    let answer = match First::of(&settings, key, begun) {
        Ok(First::Runs(guard)) => {
            point.pass();
            let run = Run {
                settings: &settings,
                service: &*service,
                claim: &claim,
            };
            run.run(guard.observed(notes), req).await
        }
        Ok(First::Repeats(answer)) => {
            log::debug!(key:%, outcome = "replayed"; "{key} is replayed");
            notes.note(|event| {
                event.outcome = Outcome::Replayed;
                event.status = Some(answer.status().as_u16());
            });
            Ok(req.into_response(answer).map_into_right_body())
        }
        Ok(First::Unguarded(err)) => {
            log::warn!(
                key:%, outcome = "unguarded", error:% = err;
                "{key} runs unguarded: {err}"
            );
            notes.note(|event| event.outcome = Outcome::Unguarded);
            notes.step_begins();
            let answer = unguarded(&*service, req).await;
            notes.step_ends(|event, took| {
                event.handler = Some(took);
                event.status = Some(status::of(&answer));
            });
            answer
        }
        Err(refusal) => refuse(&settings, &*service, req, refusal, notes).await,
    };
    let mut answer = answer?;
    if waited.is_some()
        && let Some(Patience {
            longest,
            is_preferred: true,
        }) = patience
    {
        note_preference(&mut answer, longest);
    }
    Ok(answer)
}

/// Claims, and waits for as long as it may. Tells how long it has waited, if it has.
async fn begin(
    settings: &Settings,
    claim: &Arc<NewClaim>,
    patience: Option<Patience>,
) -> (Result<Begun, StoreError>, Option<Duration>) {
    match patience.map(|patience| patience.longest) {
        None | Some(Duration::ZERO) => (settings.claims.begin(claim).await, None),
        Some(longest) => {
            let until = Instant::now() + longest;
            let most = settings.limits.most_waiters();
            settings.claims.begin_or_wait(claim, until, most).await
        }
    }
}

/// Reads what makes the request this operation: key, body, scope, fingerprint.
pub(super) async fn claim_of(
    settings: &Settings,
    req: &mut ServiceRequest,
    notes: &mut Notes,
) -> Result<Arc<NewClaim>, Refusal> {
    // A bad key costs neither the body nor a call to the store.
    let in_head = settings.key.in_head(req.headers());
    let in_head = in_head.map(|found| key_of(settings, found)).transpose()?;
    // The claim comes after the body: an upload that stalls holds no key.
    let bytes = match settings.body.read(req).await {
        Ok(bytes) => bytes,
        Err(err) => {
            let refused = settings.body.refuse(err, &settings.claims);
            return Err(refused.map_or_else(|err| Refusal::Error(err.into()), Refusal::from));
        }
    };
    notes.note(|event| event.request_body = Some(bytes.len()));
    let claim = asked(settings, req, &bytes, in_head).await?;
    notes.note(|event| event.key = Some(claim.key.clone()));
    Ok(claim)
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
    let Some(scope) = scope else {
        if settings.claims.report_once(IncidentKind::ScopeMissing) {
            log::warn!(
                incident = "scope_missing";
                "a request has no scope and was refused with 401: wrap Idempotency inside of the \
                 authentication (in actix the last wrap is the outermost), or let requests share a \
                 scope with Scope::or_anonymous (reported once)"
            );
        }
        return Err(ProblemKind::ScopeMissing.into());
    };
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

/// How a request waits for another.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) longest: Duration,
    /// Whether the client has asked for it.
    is_preferred: bool,
}

/// How this request waits for another, if it does.
pub(super) fn patience(settings: &Settings, req: &ServiceRequest) -> Option<Patience> {
    let InFlight::Wait(longest) = settings.in_flight else {
        return None;
    };
    let asks = settings.limits.prefer_wait;
    let preferred = asks.then(|| prefer::wait(req.headers())).flatten();
    Some(Patience {
        longest: preferred.map_or(longest, |wait| wait.min(longest)),
        is_preferred: preferred.is_some(),
    })
}

/// An answer of our own. Never an `Err`: the access log, `ErrorHandlers` and `DefaultHeaders`
/// would not see it.
async fn refuse<S, B>(
    settings: &Arc<Settings>,
    service: &S,
    req: ServiceRequest,
    refusal: Refusal,
    mut notes: Notes,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    Ok(match refusal {
        Refusal::Pass => {
            notes.forget();
            Passed::note(&req, settings, true);
            return unguarded(service, req).await;
        }
        Refusal::Error(err) => {
            let mut answer = req.error_response(err);
            OwnAnswer::mark(answer.response_mut());
            notes.note(|event| {
                event.outcome = Outcome::Failed;
                event.status = Some(answer.status().as_u16());
            });
            answer.map_into_right_body()
        }
        Refusal::Problem {
            kind,
            detail,
            extensions,
        } => {
            let answer = settings.problems.response(kind, detail, extensions);
            notes.note(|event| {
                event.outcome = kind.outcome();
                event.problem = Some(kind.name());
                event.status = Some(answer.status().as_u16());
            });
            req.into_response(answer).map_into_right_body()
        }
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

/// Says for how long a request would have waited at most, in seconds, a part of one as a whole one.
fn note_preference<B>(answer: &mut ServiceResponse<B>, applied: Duration) {
    let seconds = applied.as_secs() + u64::from(applied.subsec_nanos() > 0);
    if let Ok(value) = HeaderValue::try_from(format!("wait={seconds}")) {
        let name = HeaderName::from_static("preference-applied");
        answer.headers_mut().insert(name, value);
    }
}
