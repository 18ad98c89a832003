use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::{ErrorBadRequest, ErrorConflict, ErrorInternalServerError, ErrorUnprocessableEntity},
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use actix_web_idempotency::Fingerprint;

/// What a middleware does at the very least, in one map: it reads the body and gives it back, digests
/// it, and claims. No owner, no lease, no limit, no policy; and where a client leaves or a handler
/// fails, the key stays blocked for ever.
#[derive(Default)]
pub(in crate::serve) struct Table(Mutex<HashMap<Fingerprint, Option<Record>>>);

struct Record {
    fingerprint: Fingerprint,
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// A lock over the body: taken before the handler, and free before its answer goes out.
pub(in crate::serve) async fn lock(
    table: Data<Table>,
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let digest = Fingerprint::digest(read(&mut req).await?);
    if table.entries().insert(digest, None).is_some() {
        return Err(ErrorConflict("busy"));
    }
    let answer = next.call(req).await;
    table.entries().remove(&digest);
    answer
}

/// A key in the head: what its first request was answered is what all others are.
pub(in crate::serve) async fn keys(
    table: Data<Table>,
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let key = req.headers().get("idempotency-key");
    let key = Fingerprint::digest(key.ok_or_else(|| ErrorBadRequest("no key"))?);
    let fingerprint = Fingerprint::digest(read(&mut req).await?);
    if let Some(answer) = table.claim(key, fingerprint)? {
        return Ok(req.into_response(answer));
    }
    let (req, answer) = next.call(req).await?.into_parts();
    let (head, body) = answer.into_parts();
    let body = body.try_into_bytes();
    let body = body.map_err(|_stream| ErrorInternalServerError("a stream"))?;
    let headers = head.headers().iter();
    let record = Record {
        fingerprint,
        status: head.status(),
        headers: headers.map(|(n, v)| (n.clone(), v.clone())).collect(),
        body: body.clone(),
    };
    table.entries().insert(key, Some(record));
    Ok(ServiceResponse::new(req, head.set_body(BoxBody::new(body))))
}

impl Table {
    fn entries(&self) -> MutexGuard<'_, HashMap<Fingerprint, Option<Record>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a key, unless it has an answer.
    fn claim(
        &self,
        key: Fingerprint,
        fingerprint: Fingerprint,
    ) -> Result<Option<HttpResponse>, Error> {
        match self.entries().entry(key) {
            Entry::Vacant(place) => {
                place.insert(None);
                Ok(None)
            }
            Entry::Occupied(held) => match held.get() {
                None => Err(ErrorConflict("in flight")),
                Some(record) if record.fingerprint != fingerprint => {
                    Err(ErrorUnprocessableEntity("another request"))
                }
                Some(record) => Ok(Some(record.replay())),
            },
        }
    }
}

impl Record {
    fn replay(&self) -> HttpResponse {
        let mut answer = HttpResponse::with_body(self.status, BoxBody::new(self.body.clone()));
        for (name, value) in &self.headers {
            answer.headers_mut().append(name.clone(), value.clone());
        }
        let replayed = HeaderName::from_static("idempotent-replayed");
        (answer.headers_mut()).insert(replayed, HeaderValue::from_static("true"));
        answer
    }
}

async fn read(req: &mut ServiceRequest) -> Result<Bytes, Error> {
    let body = req.extract::<Bytes>().await?;
    req.set_payload(Payload::from(body.clone()));
    Ok(body)
}
