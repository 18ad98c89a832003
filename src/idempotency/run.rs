use std::{panic::AssertUnwindSafe, sync::Arc, thread};

use actix_service::Service;
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorInternalServerError,
    http::header::CONTENT_ENCODING,
};
use bytes::Bytes;
use futures_util::FutureExt;

use super::{
    claim::{Claim, CommittedResponse},
    rendered_error::RenderedError,
    response_view::ResponseView,
    settings::IdempotencySettings,
    transient::Transient,
};
use crate::{
    claim::{CommitStage, Guard, RecordOverrides, RecordRule},
    config::ExpiredLease,
    event::IncidentKind,
    middleware::{GuardedBody, Recorder, ResponseBody},
    problem::GeneratedResponse,
    runtime::log,
    store::{Record, RecordedResponse},
};

/// A handler that runs under a claim, and what becomes of its response.
pub(super) struct HandlerRun<'a, S> {
    pub(super) settings: &'a Arc<IdempotencySettings>,
    pub(super) service: &'a S,
}

impl<S, B> HandlerRun<'_, S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    /// Runs the handler, and tells the store what came of it before the response goes out wherever
    /// that is possible.
    pub(super) async fn run(
        self,
        mut guard: Guard,
        req: ServiceRequest,
    ) -> Result<ServiceResponse<ResponseBody<B>>, Error> {
        self.begins(&mut guard, &req);
        // The call itself can panic as well as its future.
        let handler = async { self.service.call(req).await };
        let outcome = AssertUnwindSafe(handler).catch_unwind().await;
        let (answer, guard) = self.conclude(guard, outcome);
        if let Some(guard) = guard {
            guard.finish().await;
        }
        answer
    }

    /// The claim is renewed from now on, and the handler can ask for it.
    pub(super) fn begins(&self, guard: &mut Guard, req: &ServiceRequest) {
        let settings = self.settings;
        (settings.claims).keep_renewed(guard, settings.terms.renew_for);
        if let Some(claim) = Claim::new(guard, settings) {
            req.extensions_mut().insert(claim);
        }
    }

    /// The response, and the guard if it can be finished by now.
    pub(super) fn conclude(
        &self,
        mut guard: Guard,
        outcome: Outcome<B>,
    ) -> (
        Result<ServiceResponse<ResponseBody<B>>, Error>,
        Option<Guard>,
    ) {
        match outcome {
            Ok(Ok(answer)) => {
                guard.worked(answer.status().as_u16());
                let (req, answer) = answer.into_parts();
                let (head, body) = answer.into_parts();
                let (body, guard) = self.decide(guard, &head, body);
                (Ok(ServiceResponse::new(req, head.set_body(body))), guard)
            }
            Ok(Err(err)) => {
                // Once: some errors give their response away.
                let (head, body) = err.error_response().into_parts();
                guard.worked(head.status().as_u16());
                let (body, guard) = self.decide(guard, &head, body);
                let err = RenderedError::new(err, head.set_body(body));
                (Err(err.into()), guard)
            }
            // The handler has not answered, so it counts as cut off.
            Err(_panic) => {
                if let Some(key) = guard.held_claim().map(|held_claim| held_claim.key()) {
                    log::error!(key:%; "the handler of {key} has panicked");
                }
                // Nobody knows what has been done. Dropped, the guard lets the lease expire.
                let is_freed = self.settings.terms.expired_lease == ExpiredLease::Reexecute;
                // The request went down with the handler, so no response can be made for it.
                (Err(own_error().into()), is_freed.then_some(guard))
            }
        }
    }

    /// A recorded encoding is sent to retries too, whether or not they accept it.
    fn report_encoding(&self, head: &HttpResponse<()>) {
        let Some(encoding) = head.headers().get(CONTENT_ENCODING) else {
            return;
        };
        let settings = self.settings;
        if settings.recording.takes_header(&CONTENT_ENCODING) {
            settings.claims.report_once(
                IncidentKind::EncodedResponse,
                format_args!(
                    "a response was recorded with a Content-Encoding ({encoding:?}), which retries get \
                     whether or not they accept it: wrap Idempotency inside of Compress (in actix the last \
                     wrap is the outermost)"
                ),
            );
        }
    }

    /// The store would have recorded the response in the transaction of the handler.
    fn report_forgotten_commit(&self, head: &HttpResponse<()>) {
        let claims = &self.settings.claims;
        let is_committed = head.extensions().contains::<CommittedResponse>();
        if head.status().as_u16() < 400 && !is_committed && claims.completion().is_some() {
            claims.report_each(
                IncidentKind::CommitForgotten,
                format_args!(
                    "a handler succeeded without a commit of its claim, so its response is recorded in a second write: \
                     end its transaction with claim.commit(tx, response)"
                ),
            );
        }
    }

    /// Retries get the response that was committed.
    fn report_another_response(&self, guard: &Guard, head: &HttpResponse<()>) {
        let is_another = !head.extensions().contains::<CommittedResponse>();
        if let Some(held_claim) = guard.held_claim().filter(|_| is_another) {
            let key = held_claim.key();
            log::warn!(
                key:%;
                "the handler of {key} has committed one response and returned another: its client gets the second, \
                 and each retry the first"
            );
        }
    }

    /// Decides what becomes of the key. A guard that is not given back goes along with the body.
    fn decide<T: MessageBody + 'static>(
        &self,
        mut guard: Guard,
        head: &HttpResponse<()>,
        body: T,
    ) -> (ResponseBody<T>, Option<Guard>) {
        let recording = &self.settings.recording;
        let overrides = (guard.held_claim()).map_or_else(RecordOverrides::default, |held_claim| {
            *held_claim.overrides()
        });
        let body = InMemory::new(body);
        match guard.follow_commit() {
            CommitStage::Open => self.report_forgotten_commit(head),
            CommitStage::Committed => {
                self.report_another_response(&guard, head);
                return (body.pass(), None);
            }
            // The response of the handler may not be that of the rows.
            CommitStage::InDoubt if !head.extensions().contains::<GeneratedResponse>() => {
                let is_freed = self.settings.terms.expired_lease == ExpiredLease::Reexecute;
                return (body.pass(), is_freed.then_some(guard));
            }
            CommitStage::InDoubt => {}
        }
        let is_kept = match overrides.rule {
            _ if head.extensions().contains::<GeneratedResponse>() => false,
            RecordRule::ByRule if Transient::is_on(head) => false,
            RecordRule::ByRule => recording.takes(&ResponseView::new(head.head(), body.bytes())),
            RecordRule::Final => true,
            RecordRule::Transient => false,
        };
        if !is_kept {
            guard.free_on_drop();
            return match body {
                InMemory::No(body) => (ResponseBody::left(GuardedBody::guarded(body, guard)), None),
                body => (body.pass(), Some(guard)),
            };
        }

        self.report_encoding(head);
        let retention = overrides.retention.unwrap_or(self.settings.terms.retention);
        let mut answer = RecordedResponse {
            fingerprint: guard.fingerprint(),
            status: head.status().as_u16(),
            headers: recording.recorded_headers(head.headers()),
            body: Bytes::new(),
        };
        let fits = !overrides.omit_response && body.size() <= recording.most() as u64;
        if !fits {
            guard.answered(Record::Tombstone(answer.to_tombstone()), retention);
            return (body.pass(), Some(guard));
        }
        match body {
            InMemory::No(body) => {
                let recorder = Recorder::new(guard, answer, recording.most(), retention);
                (
                    ResponseBody::left(GuardedBody::recorded(body, recorder)),
                    None,
                )
            }
            body => {
                if let InMemory::Yes(bytes) = &body {
                    answer.body = bytes.clone();
                }
                guard.answered(Record::Response(answer), retention);
                (body.pass(), Some(guard))
            }
        }
    }
}

/// The 500 of a handler that has panicked. Another layer around this one does not record it.
fn own_error() -> RenderedError {
    let err = ErrorInternalServerError("");
    let mut response = err.error_response();
    GeneratedResponse::mark(&mut response);
    RenderedError::new(err, response)
}

/// What a handler came to, or that it has panicked.
type Outcome<B> = thread::Result<Result<ServiceResponse<B>, Error>>;

/// Whether a body is there already.
enum InMemory<B> {
    Yes(Bytes),
    /// There is nothing to come, and nobody will ask for it. Kept as it is: as bytes, no body would
    /// look like an empty one, which is sent differently.
    Nothing(B),
    No(B),
}

impl<B: MessageBody + 'static> InMemory<B> {
    fn new(body: B) -> Self {
        if body.size().is_eof() {
            return Self::Nothing(body);
        }
        body.try_into_bytes().map_or_else(Self::No, Self::Yes)
    }

    /// The bytes, where they are all there.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Yes(bytes) => Some(bytes),
            Self::Nothing(_) => Some(b""),
            Self::No(_) => None,
        }
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

    /// As a body of the response that nothing depends on.
    fn pass(self) -> ResponseBody<B> {
        match self {
            Self::Yes(bytes) => ResponseBody::right(BoxBody::new(bytes)),
            Self::Nothing(body) | Self::No(body) => ResponseBody::left(GuardedBody::free(body)),
        }
    }
}
