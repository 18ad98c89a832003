use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
};
use bytes::Bytes;

use super::claim::{Claim, CommittedResponse, GuardOfClaim};
use crate::{
    commit::{CommitError, Completion, Responder},
    store::{Record, RecordedResponse},
};

impl Claim {
    /// Begins a commit: returns the statement that completes this claim in the application's transaction, and the
    /// response, which is what retries get. The package of a driver does the rest, see [`commit`](crate::commit).
    ///
    /// The response is recorded whatever its status, without asking the rule of [`Recording`](crate::Recording). Its
    /// headers, the limit of its body, [`omit_response`](Self::omit_response) and [`retain_for`](Self::retain_for) apply.
    /// Of a body that is not in memory it is recorded that the work is done.
    ///
    /// # Errors
    ///
    /// When nothing may be sent: the guard's store has no transactions, the claim is committed already, or its handler
    /// has ended.
    pub fn completion(
        &self,
        response: HttpResponse,
    ) -> Result<(Completion, HttpResponse), CommitError> {
        let GuardOfClaim {
            fingerprint,
            settings,
        } = &self.guard;
        let responder = Responder(Some(settings.problems.clone()));
        let held_claim = self.held_claim.as_ref().filter(|_| !settings.shadow);
        let Some(held_claim) = held_claim else {
            let mut response = response;
            response.extensions_mut().insert(CommittedResponse);
            return Ok((Completion::in_shadow(responder), response));
        };
        let overrides = *held_claim.overrides();
        let recording = &settings.recording;
        let (head, body) = response.into_parts();
        let headers = recording.recorded_headers(head.headers());
        let mut recorded = RecordedResponse {
            fingerprint: *fingerprint,
            status: head.status().as_u16(),
            headers,
            body: Bytes::new(),
        };
        let (body, bytes) = match body.try_into_bytes() {
            Ok(bytes) => (BoxBody::new(bytes.clone()), Some(bytes)),
            Err(stream) => (stream, None),
        };
        let most = recording.most();
        let bytes = bytes.filter(|bytes| !overrides.omit_response && bytes.len() <= most);
        let record = match bytes {
            Some(bytes) => {
                recorded.body = bytes;
                Record::Response(recorded)
            }
            None => Record::Tombstone(recorded.to_tombstone()),
        };
        let retention = (overrides.retention).unwrap_or(settings.terms.retention);
        let completion = Completion::new(held_claim, record, retention, responder)?;
        let mut response = head.set_body(body);
        response.extensions_mut().insert(CommittedResponse);
        Ok((completion, response))
    }
}
