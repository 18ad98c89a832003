//! What a handler says of its response, for each kind of body: what the store then holds, and for how long.

use std::time::Duration;

use actix_web::{
    App, Error, HttpResponse,
    body::{self, SizedStream},
    error::ErrorImATeapot,
    http::StatusCode,
    test::{TestRequest, call_service, init_service},
    web,
};
use actix_web_idempotency::{
    Claim, Idempotency, MemoryStore, Recording,
    dedup::{DedupOutcome, Deduplicator},
    event::FinishOutcome,
    store::{Cursor, Inspect, Inspected},
    testing::BackgroundHere,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::support::keys::keys_on;

/// The most bytes of a body that are recorded.
const MOST: usize = 100;
const RETENTION: Duration = Duration::from_secs(24 * 3600);

/// How a body comes, and whether it can be recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Nothing,
    Memory(usize),
    Stream(usize),
    /// As files come: with their size.
    Sized(usize),
    CutStream,
    /// It ends before its size.
    ShortSized,
}

const BODIES: [Body; 9] = [
    Body::Nothing,
    Body::Memory(MOST),
    Body::Memory(MOST + 1),
    Body::Stream(MOST),
    Body::Stream(MOST + 1),
    Body::Sized(MOST),
    Body::Sized(MOST + 1),
    Body::CutStream,
    Body::ShortSized,
];

impl Body {
    fn can_be_recorded(self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Memory(size) | Self::Stream(size) | Self::Sized(size) => size <= MOST,
            Self::CutStream | Self::ShortSized => false,
        }
    }

    fn response(self, status: StatusCode) -> HttpResponse {
        let mut response = HttpResponse::build(status);
        let pieces = |size| {
            let bytes = Bytes::from(vec![b'x'; size]);
            let half = bytes.slice(..size / 2);
            let pieces = [half, bytes.slice(size / 2..)];
            stream::iter(pieces).map(Ok::<_, Error>)
        };
        match self {
            Self::Nothing => response.finish(),
            Self::Memory(size) => response.body(vec![b'x'; size]),
            Self::Stream(size) => response.streaming(pieces(size)),
            Self::Sized(size) => response.body(SizedStream::new(size as u64, pieces(size))),
            Self::CutStream => {
                let cut = stream::once(async { Err(ErrorImATeapot("cut off")) });
                response.streaming(pieces(10).chain(cut))
            }
            Self::ShortSized => response.body(SizedStream::new(11, pieces(10))),
        }
    }
}

/// What the handler says.
#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    Transient,
    Final,
    FinalThenTransient,
    TransientThenFinal,
}

const SAYS: [Says; 5] = [
    Says::Nothing,
    Says::Transient,
    Says::Final,
    Says::FinalThenTransient,
    Says::TransientThenFinal,
];

#[derive(Clone, Copy, Debug)]
struct Case {
    status: u16,
    says: Says,
    omit_response: bool,
    retain_for: Option<Duration>,
    body: Body,
}

/// What the store holds in the end.
#[derive(Debug, PartialEq)]
enum Held {
    Nothing,
    Answer(Duration),
    Tombstone(Duration),
}

impl Case {
    /// Every combination.
    fn all() -> Vec<Self> {
        let mut all = vec![];
        for body in BODIES {
            for says in SAYS {
                for omit_response in [false, true] {
                    for status in [201, 503] {
                        for seconds in [None, Some(7), Some(40 * 24 * 3600)] {
                            all.push(Self {
                                status,
                                says,
                                omit_response,
                                retain_for: seconds.map(Duration::from_secs),
                                body,
                            });
                        }
                    }
                }
            }
        }
        all
    }

    fn tell(self, claim: &Claim) {
        match self.says {
            Says::Nothing => {}
            Says::Transient => claim.mark_transient(),
            Says::Final => claim.record_always(),
            Says::FinalThenTransient => {
                claim.record_always();
                claim.mark_transient();
            }
            Says::TransientThenFinal => {
                claim.mark_transient();
                claim.record_always();
            }
        }
        if self.omit_response {
            claim.omit_response();
        }
        if let Some(retention) = self.retain_for {
            claim.retain_for(retention);
        }
    }

    fn expected(self) -> Held {
        let is_kept = match self.says {
            Says::Nothing => self.status < 500,
            Says::Transient | Says::FinalThenTransient => false,
            Says::Final | Says::TransientThenFinal => true,
        };
        let retention = self.retain_for.unwrap_or(RETENTION);
        match is_kept {
            false => Held::Nothing,
            true if self.omit_response || !self.body.can_be_recorded() => {
                Held::Tombstone(retention)
            }
            true => Held::Answer(retention),
        }
    }
}

async fn obey(claim: Claim, case: web::Path<usize>, cases: web::Data<Vec<Case>>) -> HttpResponse {
    let case = cases[*case];
    case.tell(&claim);
    case.body
        .response(StatusCode::from_u16(case.status).unwrap())
}

/// What the store holds, and removes it.
async fn take(store: &MemoryStore) -> Held {
    let most = 10.try_into().unwrap();
    let page = store.list("", &Cursor::start(), most).await.unwrap();
    let mut entries = page.entries.into_iter();
    let Some((key, held)) = entries.next() else {
        return Held::Nothing;
    };
    assert_eq!(entries.count(), 0);
    assert!(store.delete(&key).await.unwrap());
    match held {
        Inspected::Finished {
            size: Some(_),
            left,
            ..
        } => Held::Answer(left),
        Inspected::Finished {
            size: None, left, ..
        } => Held::Tombstone(left),
        other => panic!("it has not ended: {other:?}"),
    }
}

fn keys(store: &MemoryStore) -> Idempotency {
    let keys = keys_on(store.clone()).retention(RETENTION);
    let keys = keys.recording(Recording::new().max_body(MOST));
    keys.build().unwrap()
}

#[actix_web::test]
async fn what_a_handler_says_counts_for_every_kind_of_body() {
    tokio::time::pause();
    let _here = BackgroundHere::here();
    let (store, cases) = (MemoryStore::new(), Case::all());
    let keys = keys(&store);
    let app = App::new()
        .app_data(web::Data::new(cases.clone()))
        .wrap(keys.clone())
        .route("/{case}", web::post().to(obey));
    let app = init_service(app).await;
    for (nth, case) in cases.into_iter().enumerate() {
        let request = TestRequest::post().uri(&format!("/{nth}"));
        let request = request.insert_header(("idempotency-key", "a"));
        let begun = Instant::now();
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), case.status, "{case:?}");
        let sent = body::to_bytes(response.into_body()).await;
        assert_eq!(sent.is_err(), case.body == Body::CutStream, "{case:?}");
        assert!(keys.drain(RETENTION).await);
        let took = begun.elapsed();
        let held = take(&store).await;
        assert_eq!(took, Duration::ZERO, "the clock stands: {case:?}");
        assert_eq!(held, case.expected(), "{case:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_run_of_once_says_counts_for_results_and_failures() {
    let _here = BackgroundHere::here();
    let store = MemoryStore::new();
    let deduplicator = Deduplicator::builder(store.clone()).retention(RETENTION);
    let deduplicator = deduplicator.build().unwrap();
    for is_done in [true, false] {
        for retain_for in [None, Some(Duration::from_secs(7))] {
            let DedupOutcome::Execute(mut run) = deduplicator.claim("a", None).await.unwrap()
            else {
                panic!("the key is free");
            };
            if let Some(retention) = retain_for {
                run = run.retain_for(retention);
            }
            let settled = match is_done {
                true => run.complete("result").await,
                false => run.fail("error").await,
            };
            assert_eq!(settled, FinishOutcome::Confirmed);
            let expected = Held::Answer(retain_for.unwrap_or(RETENTION));
            assert_eq!(take(&store).await, expected);
        }
    }
}
