use std::{sync::Arc, time::Duration};

use super::{
    Claims,
    completion::Completion,
    course::{Course, Left, Stage},
    in_progress::Ticket,
    job::Job,
    renewals::Registration,
    settled::Settled,
    tenure::Tenure,
};
use crate::{
    background,
    store::{Held, NewClaim, Record, StoreError},
};

/// Holds a claim. Dropped at any moment, in any state, on any thread, it sees to it that what has
/// to follow does follow, in the background: while the claim runs the key becomes free (or its
/// lease lapses, where a dead owner must not be forgotten); once there is an answer it is recorded,
/// and from then on nothing ever releases. A completion that timed out may have been carried out; a
/// release after it would let the work run twice.
///
/// Its `Drop` neither waits nor panics and needs no runtime; it may run in an unwinding thread
/// or in a worker whose runtime is ending.
#[derive(Debug)]
pub(crate) struct Guard {
    claims: Claims,
    course: Course<Arc<NewClaim>, Running, Box<Completion>>,
    ticket: Option<Ticket>,
}

/// A key that is held.
#[derive(Debug)]
struct Running {
    tenure: Arc<Tenure>,
    renewal: Option<Registration>,
}

impl Guard {
    pub(super) fn sent(claims: Claims, claim: Arc<NewClaim>) -> Self {
        let on_drop = claim.on_lapsed;
        Self {
            ticket: Some(claims.0.in_progress.ticket()),
            course: Course::sent(claim, on_drop),
            claims,
        }
    }

    pub(super) fn running(&mut self, tenure: Tenure) {
        self.course.claimed(Running {
            tenure: Arc::new(tenure),
            renewal: None,
        });
    }

    pub(super) fn disarm(&mut self) {
        self.course.settled();
    }

    /// What is known of the claim while it runs.
    pub(crate) fn tenure(&self) -> Option<&Arc<Tenure>> {
        match &self.course.stage {
            Stage::Running(running) => Some(&running.tenure),
            Stage::Sent(_) | Stage::Answered(_) | Stage::Settled => None,
        }
    }

    /// Has the claim renewed while it runs, for `longest` at most.
    pub(crate) fn renew_for(&mut self, longest: Duration) {
        if let Stage::Running(running) = &mut self.course.stage {
            running.renewal = Some(self.claims.0.renewals.add(&running.tenure, longest));
        }
    }

    /// From now on a drop frees the key, whatever happens to dead owners otherwise: the work has
    /// ended, and may be done again.
    pub(crate) fn free_on_drop(&mut self) {
        self.course.free_on_drop();
    }

    /// There is an answer: from now on a drop records it.
    pub(crate) fn answered(&mut self, record: Record, retention: Duration) {
        self.course.answered(|Running { tenure, renewal }| {
            Box::new(Completion::new(tenure, renewal, record, retention))
        });
    }

    /// Records the answer now, as [`settle`](Self::settle) does.
    pub(crate) async fn complete(mut self, record: Record, retention: Duration) -> Settled {
        self.answered(record, retention);
        self.settle().await
    }

    /// Tells the store how the work has ended: its answer, if there is one, otherwise that the key
    /// is free. Takes at most one call to the store; if that fails, or if this future is dropped,
    /// the background goes on.
    pub(crate) async fn settle(mut self) -> Settled {
        self.free_on_drop();
        let (key, outcome) = match &self.course.stage {
            Stage::Running(Running { tenure, .. }) => {
                (tenure.key(), release(&self.claims, tenure).await)
            }
            Stage::Answered(completion) => {
                (completion.key(), completion.attempt(&self.claims).await)
            }
            Stage::Sent(_) | Stage::Settled => return Settled::Lost,
        };
        match outcome {
            Ok(settled) => {
                self.course.settled();
                settled
            }
            Err(err) => {
                log::warn!("{key} is settled in the background: {err}");
                Settled::Later
            }
        }
    }
}

async fn release(claims: &Claims, tenure: &Tenure) -> Result<Settled, StoreError> {
    tenure.set_ending(true);
    let settled = match claims.release(tenure.lease()).await? {
        Held::Yes => Settled::Yes,
        Held::Lost => {
            log::warn!(
                "{} was no longer held when its run ended: it took longer than the claim lasts, or \
                 somebody deleted the key",
                tenure.key()
            );
            Settled::Lost
        }
    };
    Ok(settled)
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut job = match self.course.left() {
            Left::Undo(claim) => Job::Undo(claim),
            Left::Release(running) => Job::Release(running.tenure),
            Left::Record(completion) => Job::Complete(completion),
            Left::Lapse(running) => {
                let key = running.tenure.key();
                log::warn!("{key} was cut off; nobody knows what it has done");
                return;
            }
            Left::Nothing => return,
        };
        let Some(place) = job.take_place() else {
            log::error!("too much is waiting, {} is left to its lease", job.key());
            return;
        };
        let (claims, ticket) = (self.claims.clone(), self.ticket.take());
        background::spawn(async move {
            job.run(&claims, ticket).await;
            drop(place);
        });
    }
}
