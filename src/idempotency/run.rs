use std::{panic::AssertUnwindSafe, rc::Rc, sync::Arc};

use actix_service::Service;
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorInternalServerError,
};
use bytes::Bytes;
use futures_util::FutureExt;

use super::{
    claim::Claim,
    settings::Settings,
    wishes::{Verdict, Wishes},
};
use crate::{
    Fingerprint,
    claim::Guard,
    guarded_body::{GuardedBody, Recorder},
    policy::LostOwner,
    problem::OwnAnswer,
    store::{Answer, Record},
};

/// The handler's body, or one of ours. A handler's body that is in memory moves to the right side
/// when its answer has been recorded.
pub(super) type Body<B> = EitherBody<GuardedBody<B>, BoxBody>;

/// A handler that runs under a claim, and what becomes of its answer.
pub(super) struct Run<S> {
    pub(super) settings: Arc<Settings>,
    pub(super) service: Rc<S>,
    pub(super) fingerprint: Option<Fingerprint>,
}

impl<S, B> Run<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    pub(super) async fn run(
        self,
        mut guard: Guard,
        req: ServiceRequest,
    ) -> Result<ServiceResponse<Body<B>>, Error> {
        guard.renew_for(self.settings.terms.renew_for);
        let claim = guard.tenure().map(|tenure| Claim::new(Arc::clone(tenure)));
        if let Some(claim) = &claim {
            req.extensions_mut().insert(claim.clone());
        }
        // The call itself can panic as well as its future.
        let handler = async { self.service.call(req).await };
        let outcome = AssertUnwindSafe(handler).catch_unwind().await;
        let wishes = claim.map_or_else(Wishes::default, |claim| *claim.wishes());
        match outcome {
            Ok(Ok(answer)) => {
                let (req, answer) = answer.into_parts();
                let (head, body) = answer.into_parts();
                let body = self.settle(guard, wishes, &head, body).await;
                Ok(ServiceResponse::new(req, head.set_body(body)))
            }
            Ok(Err(err)) => {
                // What an outer layer makes of the error, unless it is told otherwise.
                let (head, body) = err.as_response_error().error_response().into_parts();
                drop(self.settle(guard, wishes, &head, body).await);
                Err(err)
            }
            Err(_panic) => {
                if let Some(tenure) = guard.tenure() {
                    log::error!("the handler of {} has panicked", tenure.key());
                }
                self.give_up(guard).await;
                // The request went down with the handler, so no response can be made for it.
                Err(ErrorInternalServerError(""))
            }
        }
    }

    /// Decides what becomes of the key, and tells the store before the answer goes out wherever
    /// that is possible.
    async fn settle<T: MessageBody + 'static>(
        &self,
        mut guard: Guard,
        wishes: Wishes,
        head: &HttpResponse<()>,
        body: T,
    ) -> Body<T> {
        let recording = &self.settings.recording;
        let is_own = head.extensions().contains::<OwnAnswer>();
        let is_kept = !is_own
            && match wishes.verdict {
                Verdict::ByRule => recording.takes(head.head()),
                Verdict::Final => true,
                Verdict::Transient => false,
            };
        let body = InMemory::of(body);
        if !is_kept {
            guard.free_on_drop();
            return match body {
                InMemory::No(body) => Body::left(GuardedBody::guarded(body, guard)),
                body => {
                    guard.release().await;
                    body.pass()
                }
            };
        }

        let retention = wishes.retention.unwrap_or(self.settings.terms.retention);
        let mut answer = Answer {
            fingerprint: self.fingerprint,
            status: head.status().as_u16(),
            headers: recording.of(head.headers()),
            body: Bytes::new(),
        };
        let fits = !wishes.no_store && body.size() <= recording.most() as u64;
        if !fits {
            let tombstone = Record::Tombstone(answer.to_tombstone());
            guard.complete(tombstone, retention).await;
            return body.pass();
        }
        match body {
            InMemory::No(body) => {
                let recorder = Recorder::new(guard, answer, recording.most(), retention);
                Body::left(GuardedBody::recorded(body, recorder))
            }
            body => {
                if let InMemory::Yes(bytes) = &body {
                    answer.body = bytes.clone();
                }
                guard.complete(Record::Answer(answer), retention).await;
                body.pass()
            }
        }
    }

    /// After a panic nobody knows what has been done.
    async fn give_up(&self, guard: Guard) {
        match self.settings.terms.lost_owner {
            LostOwner::Reexecute => {
                guard.release().await;
            }
            // The drop lets the lease lapse.
            LostOwner::Refuse => drop(guard),
        }
    }
}

/// Whether a body is there already.
enum InMemory<B> {
    Yes(Bytes),
    /// There is nothing to come, and nobody will ask for it. Kept as it is: as bytes, no body would
    /// look like an empty one, which is sent differently.
    Nothing(B),
    No(B),
}

impl<B: MessageBody + 'static> InMemory<B> {
    fn of(body: B) -> Self {
        if body.size().is_eof() {
            return Self::Nothing(body);
        }
        body.try_into_bytes().map_or_else(Self::No, Self::Yes)
    }

    /// What is known to come.
    fn size(&self) -> u64 {
        match self {
            Self::Yes(bytes) => bytes.len() as u64,
            Self::Nothing(_) => 0,
            Self::No(body) => match body.size() {
                BodySize::Sized(size) => size,
                BodySize::None | BodySize::Stream => 0,
            },
        }
    }

    /// As a body of the answer that nothing depends on.
    fn pass(self) -> Body<B> {
        match self {
            Self::Yes(bytes) => Body::right(BoxBody::new(bytes)),
            Self::Nothing(body) | Self::No(body) => Body::left(GuardedBody::free(body)),
        }
    }
}
