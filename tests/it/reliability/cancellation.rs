//! Requests that are dropped at every await, on a store whose every call may end in any way. In
//! paused time, all combinations.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_http::Request;
use actix_web::{
    App, Error, HttpResponse, body,
    dev::{Service, ServiceResponse},
    http::StatusCode,
    test::{TestRequest, init_service},
    web,
};
use actix_web_idempotency::{
    ExpiredLease, Idempotency, MemoryStore, Scope,
    testing::{BackgroundHere, Call, Fault, FaultyStore},
};
use tokio::time::{pause, sleep};

/// Longer than everything that goes on in the background.
const LONG: Duration = Duration::from_secs(1200);
/// Longer than that, and much shorter than the default: the store's purge looks each second of paused time.
const RETENTION: Duration = Duration::from_secs(3600);
/// More polls than a request needs.
const MOST_POLLS: usize = 8;

/// How a call to the store may end: well, or in one of these ways.
const ENDS: [Option<Fault>; 7] = [
    None,
    Some(Fault::Unavailable),
    Some(Fault::TimedOut { carried_out: true }),
    Some(Fault::Delayed(Duration::from_millis(100))),
    Some(Fault::NoAnswer { carried_out: false }),
    Some(Fault::NoAnswer { carried_out: true }),
    Some(Fault::Late(Duration::from_secs(2))),
];

/// A store whose next calls end so.
fn store_with<const N: usize>(ends: [(usize, Call, Option<Fault>); N]) -> FaultyStore<MemoryStore> {
    let store = FaultyStore::new(MemoryStore::new());
    for (calls, call, fault) in ends {
        if let Some(fault) = fault {
            store.next_n(calls, call, fault);
        }
    }
    store
}

/// What the handler does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handler {
    Succeeds,
    Fails,
    Panics,
}

#[derive(Clone, Default)]
struct Ran {
    /// From now on it succeeds.
    recovered: Rc<Cell<bool>>,
    begun: Rc<Cell<u32>>,
    ended: Rc<Cell<u32>>,
}

/// Polls a future a number of times and drops it.
struct DropAfter<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for DropAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

async fn app(
    keys: &Idempotency,
    first: Handler,
    ran: &Ran,
) -> impl Service<Request, Response = ServiceResponse<impl body::MessageBody + use<>>, Error = Error>
+ use<> {
    let (keys, ran) = (keys.clone(), ran.clone());
    init_service(App::new().wrap(keys).route(
        "/",
        web::post().to(move || {
            let ran = ran.clone();
            async move {
                ran.begun.set(ran.begun.get() + 1);
                sleep(Duration::from_millis(10)).await;
                tokio::task::yield_now().await;
                ran.ended.set(ran.ended.get() + 1);
                match (ran.recovered.get(), first) {
                    (false, Handler::Panics) => std::panic::resume_unwind(Box::new("on purpose")),
                    (false, Handler::Fails) => HttpResponse::ServiceUnavailable().finish(),
                    _ => HttpResponse::Created().body(format!("run {}", ran.begun.get())),
                }
            }
        }),
    ))
    .await
}

fn request() -> Request {
    let request = TestRequest::post()
        .uri("/")
        .insert_header(("idempotency-key", "a"));
    request.set_payload("tea").to_request()
}

/// One request that is dropped after some polls, if at all; then, with a store that is well and
/// everything settled, another one. Tells what that one was answered and how many ran.
async fn scenario(
    store: FaultyStore<MemoryStore>,
    first: Handler,
    polls: usize,
    what: &str,
) -> Option<u32> {
    let keys = Idempotency::builder(store.clone(), Scope::global())
        .build()
        .unwrap();
    let ran = Ran::default();
    let app = app(&keys, first, &ran).await;
    let call = DropAfter {
        future: Box::pin(app.call(request())),
        polls,
    };
    let answer = call.await;
    if let Some(answer) = &answer {
        let status = match answer {
            Ok(answer) => answer.status(),
            Err(err) => err.as_response_error().status_code(),
        };
        if ran.begun.get() == 1 && first == Handler::Succeeds {
            assert_eq!(
                status,
                StatusCode::CREATED,
                "{what}: the answer goes out all the same"
            );
        } else {
            assert!(status.is_server_error(), "{what}: {status}");
        }
    }
    let was_answered = answer.is_some();
    drop(answer);
    assert!(keys.drain(LONG).await, "{what}: everything settles");
    // An undo goes on after the drain, for claims that are still to come.
    sleep(Duration::from_secs(30)).await;
    assert_eq!(
        ran.begun.get(),
        ran.ended.get(),
        "{what}: what has begun runs to its end"
    );
    let ran_before = ran.begun.get();
    store.recover();
    ran.recovered.set(true);
    assert!(ran_before <= 1, "{what}");

    let again = app.call(request()).await.unwrap();
    let replayed = again.headers().contains_key("idempotent-replayed");
    let status = again.status();
    let body = body::to_bytes(again.into_body())
        .await
        .map_err(|_| ())
        .unwrap();
    assert_eq!(
        status,
        StatusCode::CREATED,
        "{what}: the key is not blocked, {body:?}"
    );
    let runs = ran.begun.get();
    if ran_before == 1 && first == Handler::Succeeds {
        assert!(replayed, "{what}: it ran a second time");
        assert_eq!(body, "run 1", "{what}");
        assert_eq!(runs, 1, "{what}");
    } else {
        assert!(!replayed, "{what}");
        assert_eq!(runs, ran_before + 1, "{what}");
    }
    was_answered.then_some(ran_before)
}

#[actix_web::test]
async fn whatever_the_store_does_and_whenever_a_client_leaves_nothing_runs_twice_and_nothing_stays()
{
    pause();
    let _here = BackgroundHere::here();
    let (mut scenarios, mut answered, mut left_while_running) = (0, 0, 0);
    for handler in [Handler::Succeeds, Handler::Fails, Handler::Panics] {
        for begin in ENDS {
            for end in ENDS {
                for polls in 0..=MOST_POLLS {
                    let what = format!("{handler:?}, begin {begin:?}, end {end:?}, {polls} polls");
                    // What ends a run is a completion after a success, a release otherwise; an undo
                    // is a release too.
                    let store = store_with([
                        (1, Call::Begin, begin),
                        (2, Call::Complete, end), // so that a retry meets it too
                        (2, Call::Release, end),
                    ]);
                    match scenario(store, handler, polls, &what).await {
                        Some(_) => answered += 1,
                        None => left_while_running += 1,
                    }
                    scenarios += 1;
                }
            }
        }
    }
    assert_eq!(scenarios, 3 * 7 * 7 * (MOST_POLLS + 1));
    assert!(
        answered > scenarios / 4 && left_while_running > scenarios / 4,
        "{answered} were answered, {left_while_running} were dropped"
    );
}

#[actix_web::test]
async fn renewals_of_any_mood_do_not_change_that() {
    pause();
    let _here = BackgroundHere::here();
    for renew in ENDS {
        for end in ENDS {
            let what = format!("renew {renew:?}, complete {end:?}");
            let store = store_with([(2, Call::Renew, renew), (2, Call::Complete, end)]);
            // Slower than a third of the lease, so that renewals happen.
            let keys = Idempotency::builder(store, Scope::global())
                .lease(Duration::from_secs(60))
                .build()
                .unwrap();
            let ran = Rc::new(Cell::new(0));
            let app = {
                let ran = Rc::clone(&ran);
                init_service(App::new().wrap(keys.clone()).route(
                    "/",
                    web::post().to(move || {
                        ran.set(ran.get() + 1);
                        async {
                            sleep(Duration::from_secs(100)).await;
                            HttpResponse::Created().finish()
                        }
                    }),
                ))
                .await
            };
            let first = app.call(request()).await.unwrap();
            assert_eq!(first.status(), StatusCode::CREATED, "{what}");
            assert!(keys.drain(LONG).await, "{what}");
            let again = app.call(request()).await.unwrap();
            assert!(
                again.headers().contains_key("idempotent-replayed"),
                "{what}"
            );
            assert_eq!(ran.get(), 1, "{what}");
        }
    }
}

#[actix_web::test]
async fn where_nobody_may_follow_a_dead_owner_what_was_cut_off_is_not_run_again() {
    pause();
    let _here = BackgroundHere::here();
    for end in ENDS {
        let store = store_with([(2, Call::Complete, end), (2, Call::Release, end)]);
        let keys = Idempotency::builder(store, Scope::global())
            .on_expired_lease(ExpiredLease::Refuse)
            .retention(RETENTION)
            .build()
            .unwrap();
        let ran = Ran::default();
        let app = app(&keys, Handler::Panics, &ran).await;
        let first: Result<ServiceResponse<_>, Error> = app.call(request()).await;
        assert!(first.is_err());
        let in_flight = app.call(request()).await.unwrap();
        assert_eq!(in_flight.status(), StatusCode::CONFLICT);
        assert!(in_flight.headers().contains_key("retry-after"), "{end:?}");
        assert!(keys.drain(LONG).await);
        sleep(Duration::from_secs(60)).await;
        let unknown = app.call(request()).await.unwrap();
        assert_eq!(unknown.status(), StatusCode::CONFLICT);
        assert!(!unknown.headers().contains_key("retry-after"), "{end:?}");
        ran.recovered.set(true);
        // After the retention the key is as good as new.
        sleep(RETENTION).await;
        assert_eq!(
            app.call(request()).await.unwrap().status(),
            StatusCode::CREATED
        );
    }
}
