use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use actix_web::{Error, HttpResponse, error::ErrorInternalServerError};
use actix_web_idempotency::{Claim, ExpiredLease};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::{
    log::Log,
    plan::{End, Guard, Name, Request},
};

/// All that handlers have done, and what they should not have.
#[derive(Clone)]
pub(super) struct Runs(Rc<Inner>);

struct Inner {
    guard: Guard,
    log: Log,
    all: RefCell<Vec<Run>>,
    breaches: RefCell<Vec<String>>,
}

/// One run of a handler.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) request: usize,
    pub(super) name: Name,
    pub(super) payload: &'static str,
    pub(super) began: Instant,
    /// When nothing of it was left.
    pub(super) ended: Option<Instant>,
    /// It must never be done again.
    pub(super) is_final: bool,
    /// It came to its end, panicking or not.
    pub(super) is_over: bool,
    /// All of its answer has been handed over.
    pub(super) is_whole: bool,
    pub(super) panicked: bool,
}

/// Ends a run when it is dropped.
struct Running {
    runs: Runs,
    number: usize,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runs.say(self.number, "is gone");
        self.run().ended = Some(Instant::now());
    }
}

impl Running {
    fn run(&self) -> RefMut<'_, Run> {
        RefMut::map(self.runs.0.all.borrow_mut(), |all| &mut all[self.number])
    }
}

impl Runs {
    pub(super) fn new(guard: Guard, log: Log) -> Self {
        Self(Rc::new(Inner {
            guard,
            log,
            all: RefCell::default(),
            breaches: RefCell::default(),
        }))
    }

    pub(super) fn all(&self) -> Vec<Run> {
        self.0.all.borrow().clone()
    }

    pub(super) fn breaches(&self) -> Vec<String> {
        self.0.breaches.borrow().clone()
    }

    fn say(&self, number: usize, what: &str) {
        self.0.log.say(&format!("run {number} {what}"));
    }

    /// A handler is entered. Of the same operation nothing may be running, and nothing be done.
    fn begin(&self, number: usize, request: &Request, claim: Option<&Claim>) -> Running {
        let breach = |why: String| self.0.breaches.borrow_mut().push(why);
        let mut all = self.0.all.borrow_mut();
        let new = all.len();
        for (n, run) in all.iter().enumerate() {
            if run.ended.is_none() && self.are_same(run, request) {
                breach(format!("run {new} began beside run {n}"));
            }
            if run.is_final && run.name == request.name {
                breach(format!("run {new} began although run {n} is final"));
            }
        }
        if let Guard::Keys { .. } = self.0.guard {
            match claim {
                None => breach(format!("run {new} has no claim")),
                // Nobody's lease lapses, so nobody is to be followed.
                Some(claim) if claim.attempt().get() != 1 => {
                    breach(format!("run {new} is attempt {}", claim.attempt()));
                }
                Some(_) => {}
            }
        }
        all.push(Run {
            request: number,
            name: request.name,
            payload: request.payload,
            began: Instant::now(),
            ended: None,
            is_final: false,
            is_over: false,
            is_whole: false,
            panicked: false,
        });
        drop(all);
        self.say(new, &format!("begins for request {number}"));
        Running {
            runs: self.clone(),
            number: new,
        }
    }

    /// Whether they must not run beside each other.
    fn are_same(&self, run: &Run, request: &Request) -> bool {
        let is_payload = self.0.guard != Guard::Lock || run.payload == request.payload;
        run.name == request.name && is_payload
    }

    /// What every handler does.
    pub(super) async fn handle(
        self,
        number: usize,
        request: Request,
        claim: Option<Claim>,
    ) -> HttpResponse {
        let running = self.begin(number, &request, claim.as_ref());
        drop(claim);
        sleep(request.takes).await;
        tokio::task::yield_now().await;
        let body = format!("run {}", running.number);
        let refuses = matches!(
            self.0.guard,
            Guard::Keys {
                expired_lease: ExpiredLease::Refuse,
                ..
            }
        );
        let keeps = self.0.guard != Guard::Lock;
        {
            let mut run = running.run();
            run.is_over = true;
            run.panicked = request.ends == End::Panics;
            run.is_final = match request.ends {
                End::Unavailable => false,
                End::Panics => refuses,
                _ => keeps,
            };
            run.is_whole = matches!(request.ends, End::Created | End::NotFound);
        }
        match request.ends {
            End::Created => HttpResponse::Created().body(body),
            End::NotFound => HttpResponse::NotFound().body(body),
            End::Unavailable => HttpResponse::ServiceUnavailable().body(body),
            End::Panics => std::panic::resume_unwind(Box::new("by plan")),
            End::Streams(pieces, every) | End::Breaks(pieces, every) => {
                let breaks = matches!(request.ends, End::Breaks(..));
                let pieces = stream::unfold((running, 0), move |(running, n)| {
                    let body = body.clone();
                    async move {
                        sleep(every).await;
                        if n > pieces {
                            running.run().is_whole = true;
                            return None;
                        }
                        let piece = match (n, n == pieces) {
                            (_, true) if breaks => Err(ErrorInternalServerError("by plan")),
                            (0, _) => Ok(Bytes::from(body)),
                            _ => Ok::<_, Error>(Bytes::from_static(b".")),
                        };
                        Some((piece, (running, n + 1)))
                    }
                });
                HttpResponse::Ok().streaming(pieces.boxed_local())
            }
        }
    }
}
