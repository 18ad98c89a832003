//! A response that a middleware of this crate makes itself is not recorded by an `Idempotency` around it,
//! whatever its rule says: each kind of such a response, by default and as the application renders it.

mod keys;
mod locks;

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use actix_service::{
    Transform, apply_fn,
    boxed::{self, BoxService},
    fn_service,
};
use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{Payload, Service, ServiceRequest, ServiceResponse},
    error::{ErrorImATeapot, PayloadError},
    http::StatusCode,
    test::TestRequest,
};
use actix_web_idempotency::{
    Fingerprint, MemoryStore, Recording,
    problem::Problem,
    store::{
        Begin, ClaimId, Cursor, Headers, Held, Inspect, Lease, NewClaim, Record, RecordedResponse,
        Renewed, Store, StoreError, StoreKey, StoreTime, Tombstone,
    },
    testing::{Reply, in_turn},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::support::keys::keys_on;

/// What a store says to every claim.
#[derive(Clone, Copy, Debug)]
enum Says {
    Claimed,
    InFlight,
    Lapsed,
    OtherWork,
    Response,
    Tombstone,
    Unreadable,
    Away,
}

impl Store for Says {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let fingerprint = claim.fingerprint;
        Ok(match self {
            Says::Claimed => Begin::Claimed {
                lease: claim.lease(),
                attempt: NonZeroU32::MIN,
            },
            Says::InFlight => Begin::InFlight {
                by: None,
                fingerprint,
                left: None,
            },
            Says::Lapsed => Begin::Expired { fingerprint },
            Says::OtherWork => Begin::Expired {
                fingerprint: Some(Fingerprint::digest("other work")),
            },
            Says::Response => Begin::Finished(Record::Response(RecordedResponse {
                fingerprint,
                status: 202,
                headers: Headers::new(),
                body: Bytes::from_static(b"of the inner layer"),
            })),
            Says::Tombstone => Begin::Finished(Record::Tombstone(Tombstone {
                fingerprint,
                status: Some(201),
                location: None,
            })),
            Says::Unreadable => Begin::Unreadable,
            Says::Away => return Err(StoreError::unavailable("it is away")),
        })
    }

    async fn renew(&self, _: &Lease) -> Result<Renewed, StoreError> {
        Ok(Renewed::Yes { at: StoreTime(1) })
    }

    async fn complete(&self, _: &Lease, _: &Record, _: Duration) -> Result<Held, StoreError> {
        Ok(Held::Yes)
    }

    async fn release(&self, _: &Lease) -> Result<Held, StoreError> {
        Ok(Held::Yes)
    }

    async fn changed(&self, _: &StoreKey, _: &ClaimId) -> Result<(), StoreError> {
        Ok(())
    }
}

type Handler = BoxService<ServiceRequest, ServiceResponse, Error>;

/// What stands between the two layers.
type Between = fn(&mut ServiceRequest);

fn nothing(_: &mut ServiceRequest) {}

fn breaks_the_body_off(req: &mut ServiceRequest) {
    let broken = stream::once(async { Err(PayloadError::Incomplete(None)) });
    req.set_payload(Payload::from(broken.boxed_local()));
}

fn stalls_the_body(req: &mut ServiceRequest) {
    req.set_payload(Payload::from(stream::pending().boxed_local()));
}

fn request() -> TestRequest {
    let request = TestRequest::post().insert_header(("idempotency-key", "outer"));
    request.set_payload("a body of 20 bytes..")
}

/// Sends a request through both layers. Returns what it is answered, and how many records the outer one
/// has made.
async fn nested<M, B>(
    inner: M,
    request: &impl Fn() -> TestRequest,
    between: Between,
) -> (Reply, usize)
where
    M: Transform<Handler, ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    M::InitError: std::fmt::Debug,
    M::Transform: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let handler = boxed::service(fn_service(async |req: ServiceRequest| {
        assert_ne!(req.path(), "/panics", "on purpose");
        Ok::<_, Error>(req.into_response(HttpResponse::Created().body("the handler's")))
    }));
    let inner = inner.new_transform(handler).await.unwrap();
    let inner = apply_fn(
        inner,
        move |mut req: ServiceRequest, inner: &M::Transform| {
            between(&mut req);
            inner.call(req)
        },
    );
    let store = MemoryStore::new();
    let everything = Recording::new().when(|_| true);
    let outer = keys_on(store.clone()).key_prefix("outer:");
    let outer = outer.recording(everything).build().unwrap();
    let app = outer.new_transform(inner).await.unwrap();
    let replies = in_turn(&app, 1, || request().to_srv_request()).await;
    assert!(outer.drain(Duration::from_secs(60)).await);
    let most = 10.try_into().unwrap();
    let page = store.list("", &Cursor::start(), most).await.unwrap();
    (replies[0].clone(), page.entries.len())
}

async fn is_not_recorded<M, B>(
    what: &str,
    inner: M,
    request: impl Fn() -> TestRequest,
    between: Between,
    status: u16,
) where
    M: Transform<Handler, ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    M::InitError: std::fmt::Debug,
    M::Transform: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let (reply, records) = nested(inner, &request, between).await;
    assert_eq!(reply.status(), status, "{what}");
    assert_eq!(records, 0, "{what} is recorded");
}

/// The status of a problem that the application renders.
const RENDERED: u16 = 299;

fn render(_: &Problem) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(RENDERED).unwrap()).body("rendered")
}

/// Text, bytes or numbers can be the names of members in JSON; a list cannot.
fn no_json() -> HashMap<Vec<u8>, u8> {
    HashMap::from([(vec![1], 1)])
}

fn teapot<T>() -> Result<T, Error> {
    Err(ErrorImATeapot("what a closure answers"))
}
