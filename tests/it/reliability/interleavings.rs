//! Clients that behave at random, many at once: never two runs of equal requests at a time, none
//! after one that succeeded under a key, and nothing stays locked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, web};
use actix_web_idempotency::InFlight;
use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use crate::{
    serve,
    support::{
        backend::{Backend, each_store},
        eventually,
        server::{Server, post},
        wire::Wire,
    },
};

const PATHS: usize = 5;
const CLIENTS: u64 = 40;
const REQUESTS: usize = 15;

/// How many handlers run for each path, and what was seen.
#[derive(Default)]
struct Seen {
    running: [AtomicUsize; PATHS],
    succeeded: [AtomicUsize; PATHS],
    together: AtomicUsize,
    /// Runs that began after one had succeeded.
    after_success: AtomicUsize,
    ran: AtomicUsize,
}

/// One run of a handler, from its first line to its drop.
struct Run {
    seen: Arc<Seen>,
    path: usize,
}

impl Run {
    fn begin(seen: &Arc<Seen>, req: &HttpRequest) -> Self {
        let path: usize = req.path().trim_start_matches('/').parse().unwrap();
        if seen.running[path].fetch_add(1, Ordering::SeqCst) > 0 {
            seen.together.fetch_add(1, Ordering::SeqCst);
        }
        if seen.succeeded[path].load(Ordering::SeqCst) > 0 {
            seen.after_success.fetch_add(1, Ordering::SeqCst);
        }
        seen.ran.fetch_add(1, Ordering::SeqCst);
        Self {
            seen: Arc::clone(seen),
            path,
        }
    }
}

impl Run {
    /// Its answer will be one that is remembered.
    fn succeeds(&self) {
        self.seen.succeeded[self.path].fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.seen.running[self.path].fetch_sub(1, Ordering::SeqCst);
    }
}

async fn handler(req: HttpRequest, seen: web::Data<Seen>, body: Bytes) -> HttpResponse {
    let run = Run::begin(&seen, &req);
    let mut random =
        StdRng::seed_from_u64(body.len() as u64 + seen.ran.load(Ordering::SeqCst) as u64);
    sleep(Duration::from_micros(random.random_range(0..8000))).await;
    match random.random_range(0..10) {
        0 => std::panic::resume_unwind(Box::new("at random")),
        1 => HttpResponse::InternalServerError().finish(),
        2..5 => {
            run.succeeds();
            // The run goes on until the stream has ended.
            let pieces = stream::unfold((run, 0), |(run, n)| async move {
                sleep(Duration::from_micros(500)).await;
                (n < 5).then(|| {
                    (
                        Ok::<_, actix_web::Error>(Bytes::from("piece ")),
                        (run, n + 1),
                    )
                })
            });
            HttpResponse::Ok().streaming(pieces.boxed_local())
        }
        _ => {
            run.succeeds();
            HttpResponse::Created().body("done")
        }
    }
}

/// Sends requests and leaves some of them at any moment: before the body is complete, while the
/// claim is under way, while the handler runs, while the answer comes.
async fn client(server: &Server, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..REQUESTS {
        let path = random.random_range(0..PATHS);
        let mut wire = Wire::to(server.addr()).await;
        let head = format!("POST /{path} HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n");
        wire.send(format!(
            "{head}idempotency-key: k{path}\r\nconnection: close\r\n\r\n"
        ))
        .await;
        if random.random_bool(0.1) {
            wire.reset();
            continue;
        }
        wire.send("body").await;
        if random.random_bool(0.5) {
            sleep(Duration::from_micros(random.random_range(0..10_000))).await;
            wire.reset();
        } else {
            wire.read_to_end().await;
        }
    }
}

each_store!(equal_requests_never_run_together_and_nothing_stays_locked);
async fn equal_requests_never_run_together_and_nothing_stays_locked(backend: &Backend) {
    let lock = backend.lock().build().unwrap();
    let seen = Arc::new(Seen::default());
    let server = {
        let (lock, data) = (lock.clone(), web::Data::from(Arc::clone(&seen)));
        serve!(
            2,
            App::new()
                .app_data(data.clone())
                .wrap(lock.clone())
                .default_service(web::to(handler))
        )
    };
    let seed = rand::random::<u64>() % 1_000_000;
    join_all((0..CLIENTS).map(|client_no| client(&server, seed + client_no))).await;

    let ran = seen.ran.load(Ordering::SeqCst);
    assert!(ran > PATHS * 2, "seed {seed}: only {ran} ran");
    let together = seen.together.load(Ordering::SeqCst);
    assert_eq!(together, 0, "seed {seed}: equal requests ran together");
    assert!(
        lock.drain(Duration::from_secs(10)).await,
        "seed {seed}: all has settled"
    );
    for path in 0..PATHS {
        let path = format!("/{path}");
        eventually("the lock is free", async || {
            let answer = post(&server, &path, "body").send().await;
            answer.is_ok_and(|answer| answer.status() != 409)
        })
        .await;
    }
    drop(server);
    assert!(lock.drain(Duration::from_secs(10)).await);
    if let Some(redis) = backend.redis_server() {
        redis.wait_until_empty(Duration::from_secs(1));
    }
}

each_store!(under_a_key_nothing_runs_after_a_success_and_no_key_stays_blocked);
async fn under_a_key_nothing_runs_after_a_success_and_no_key_stays_blocked(backend: &Backend) {
    for in_flight in [
        InFlight::Reject,
        InFlight::Wait(Duration::from_millis(20).into()),
    ] {
        let prefix = format!("{in_flight:?}:");
        let keys = backend
            .keys()
            .key_prefix(prefix)
            .on_in_flight(in_flight)
            .build()
            .unwrap();
        let seen = Arc::new(Seen::default());
        let server = {
            let (keys, data) = (keys.clone(), web::Data::from(Arc::clone(&seen)));
            serve!(
                2,
                App::new()
                    .app_data(data.clone())
                    .wrap(keys.clone())
                    .default_service(web::to(handler))
            )
        };
        let seed = rand::random::<u64>() % 1_000_000;
        join_all((0..CLIENTS).map(|client_no| client(&server, seed + client_no))).await;
        let what = format!("{in_flight:?}, seed {seed}");
        assert!(
            keys.drain(Duration::from_secs(10)).await,
            "{what}: all has settled"
        );
        assert_eq!(
            seen.together.load(Ordering::SeqCst),
            0,
            "{what}: two ran together"
        );
        let after = seen.after_success.load(Ordering::SeqCst);
        assert_eq!(after, 0, "{what}: {after} ran after a success");
        for path in 0..PATHS {
            let request = post(&server, &format!("/{path}"), "body");
            let request = request.header("idempotency-key", format!("k{path}"));
            let answer = request.send().await;
            // It may be told that the answer was not kept (a stream that was cut off); it is
            // not told to come again.
            if let Ok(answer) = answer {
                let retry = answer.headers().contains_key("retry-after");
                assert!(!retry, "{what}: {path} is blocked, {answer:?}");
            }
        }
    }
}
