use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::ApiLock;
use futures_util::future::LocalBoxFuture;
use reqwest::{RequestBuilder, Response};
use tokio::{sync::Semaphore, task::JoinHandle};

use super::{
    eventually,
    server::{Server, post},
};
use crate::serve;

/// Stands in handlers: counts who came in, and keeps them there until they are let go.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    entered: AtomicUsize,
    left: AtomicUsize,
    may_leave: Semaphore,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Inner {
            entered: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            may_leave: Semaphore::new(0),
        }))
    }

    pub(crate) fn open() -> Self {
        let gate = Self::closed();
        gate.0.may_leave.add_permits(Semaphore::MAX_PERMITS);
        gate
    }

    /// What a handler awaits; returns the how manyth it is.
    pub(crate) async fn pass(&self) -> usize {
        let nth = self.0.entered.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.may_leave.acquire().await.unwrap().forget();
        self.0.left.fetch_add(1, Ordering::SeqCst);
        nth
    }

    /// A handler that stands in the gate and answers 201.
    pub(crate) fn handler(
        &self,
    ) -> impl Fn() -> LocalBoxFuture<'static, HttpResponse> + Clone + use<> {
        let gate = self.clone();
        move || {
            let gate = gate.clone();
            Box::pin(async move {
                gate.pass().await;
                HttpResponse::Created().body("done")
            })
        }
    }

    /// A handler that stands in the gate and answers 201 with the number of its run.
    pub(crate) fn numbered(
        &self,
    ) -> impl Fn() -> LocalBoxFuture<'static, HttpResponse> + Clone + use<> {
        let gate = self.clone();
        move || {
            let gate = gate.clone();
            Box::pin(async move {
                let run = gate.pass().await;
                HttpResponse::Created().body(format!("run {run}"))
            })
        }
    }

    pub(crate) fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    pub(crate) fn left(&self) -> usize {
        self.0.left.load(Ordering::SeqCst)
    }

    pub(crate) fn let_go(&self, handlers: usize) {
        self.0.may_leave.add_permits(handlers);
    }

    /// Sends the request that most tests send, and returns when its handler stands in the gate.
    pub(crate) async fn occupy(&self, server: &Server) -> JoinHandle<reqwest::Result<Response>> {
        let first = tokio::spawn(post(server, "/", "x").send());
        self.wait_for_entered(1).await;
        first
    }

    pub(crate) async fn wait_for_entered(&self, handlers: usize) {
        eventually("a handler is entered", async || self.entered() >= handlers).await;
        assert_eq!(self.entered(), handlers);
    }
}

/// A server whose one handler stands in the gate, for every path and method.
pub(crate) fn gated(lock: ApiLock, gate: &Gate) -> Server {
    gated_on(1, lock, gate)
}

/// The same with more workers.
pub(crate) fn gated_on(workers: usize, lock: ApiLock, gate: &Gate) -> Server {
    let gate = gate.clone();
    serve!(
        workers,
        App::new()
            .wrap(lock.clone())
            .default_service(web::to(gate.handler()))
    )
}

/// Sends two requests, the second while the first runs; whether the second is refused. Lets both go.
pub(crate) async fn is_refused(gate: &Gate, first: RequestBuilder, second: RequestBuilder) -> bool {
    let first = tokio::spawn(first.send());
    gate.wait_for_entered(1).await;
    let second = tokio::spawn(second.send());
    eventually("an answer or a run", async || {
        second.is_finished() || gate.entered() > 1
    })
    .await;
    gate.let_go(2);
    assert_eq!(first.await.unwrap().unwrap().status(), 201);
    match second.await.unwrap().unwrap().status().as_u16() {
        201 => false,
        409 => true,
        other => panic!("{other}"),
    }
}
