use std::{rc::Rc, sync::Arc, time::Duration};

use actix_service::{Service, forward_ready};
use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};

use super::{
    decision::decide,
    passed::Passed,
    run::HandlerRun,
    run_to_end::{DetachOnDrop, DetachPoint},
    settings::IdempotencySettings,
    shadow,
};
use crate::{
    event::EventBuilder,
    middleware::{Decision, GuardedBody, ResponseBody, status_of},
};

/// [`Idempotency`](super::Idempotency) around a service.
#[derive(Debug)]
pub struct IdempotencyMiddleware<S> {
    service: Rc<S>,
    settings: Arc<IdempotencySettings>,
}

impl<S> IdempotencyMiddleware<S> {
    pub(super) fn new(service: S, settings: Arc<IdempotencySettings>) -> Self {
        Self {
            service: Rc::new(service),
            settings,
        }
    }
}

pub(super) type Response<B> = ServiceResponse<ResponseBody<B>>;

impl<S, B> Service<ServiceRequest> for IdempotencyMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = Response<B>;
    type Error = Error;
    type Future = DetachOnDrop<Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let (service, settings) = (Rc::clone(&self.service), Arc::clone(&self.settings));
        if settings.shadow {
            return DetachOnDrop::new(|_never| shadow::observed(settings, service, req));
        }
        if !settings.filter.selects(req.head()) {
            Passed::note(&req, &settings, false);
            return DetachOnDrop::new(|_never| async move { unguarded(&*service, req).await });
        }
        DetachOnDrop::new(|point| guarded(settings, service, req, point))
    }
}

async fn guarded<S, B>(
    settings: Arc<IdempotencySettings>,
    service: Rc<S>,
    mut req: ServiceRequest,
    point: DetachPoint,
) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let mut event = settings.claims.begin_event();
    let (decision, preferred) = decide(&settings, &mut req, &mut event).await;
    let mut answer = match decision {
        Decision::Run(guard) => {
            point.reach();
            let run = HandlerRun {
                settings: &settings,
                service: &*service,
            };
            run.run(guard.observed(event), req).await?
        }
        Decision::Pass => unguarded(&*service, req).await?,
        Decision::RunUnguarded(_) => {
            event.start_step();
            let answer = unguarded(&*service, req).await;
            event.end_step(|event, took| {
                event.handler_duration = Some(took);
                event.status = Some(status_of(&answer));
            });
            answer?
        }
        decision => generated(decision.response(&settings.problems), req, event),
    };
    if let Some(longest) = preferred {
        note_preference(&mut answer, longest);
    }
    Ok(answer)
}

/// A response of our own. Never an `Err`: the access log, `ErrorHandlers` and `DefaultHeaders`
/// would not see it.
fn generated<B>(
    response: HttpResponse,
    req: ServiceRequest,
    mut event: EventBuilder,
) -> Response<B> {
    event.record(|event| event.status = Some(response.status().as_u16()));
    req.into_response(response).map_into_right_body()
}

async fn unguarded<S, B>(service: &S, req: ServiceRequest) -> Result<Response<B>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let answer = service.call(req).await?;
    Ok(answer.map_body(|_head, body| ResponseBody::left(GuardedBody::free(body))))
}

/// Says for how long a request would have waited at most, in seconds, a part of one as a whole one.
fn note_preference<B>(answer: &mut ServiceResponse<B>, applied: Duration) {
    let seconds = applied.as_secs() + u64::from(applied.subsec_nanos() > 0);
    if let Ok(value) = HeaderValue::try_from(format!("wait={seconds}")) {
        let name = HeaderName::from_static("preference-applied");
        answer.headers_mut().insert(name, value);
    }
}
