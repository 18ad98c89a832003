use std::{sync::Arc, time::Duration};

use super::{
    Claims, completion::Completion, in_progress::Ticket, job::Job, renewals::Registration,
    settled::Settled, tenure::Tenure,
};
use crate::{
    background,
    store::{Held, NewClaim, OnLapsed, Record, StoreError},
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
    state: State,
    on_drop: OnLapsed,
    ticket: Option<Ticket>,
}

#[derive(Debug)]
enum State {
    /// The claim is under way: it may have been carried out, or be carried out later.
    Sent(Arc<NewClaim>),
    /// The key is held.
    Running(Arc<Tenure>, Option<Registration>),
    /// The key is held, and this is what has to stand there in the end.
    Answered(Box<Completion>),
    /// There is nothing to give back.
    Settled,
}

impl Guard {
    pub(super) fn sent(claims: Claims, claim: Arc<NewClaim>) -> Self {
        Self {
            ticket: Some(claims.0.in_progress.ticket()),
            on_drop: claim.on_lapsed,
            state: State::Sent(claim),
            claims,
        }
    }

    pub(super) fn running(&mut self, tenure: Tenure) {
        self.state = State::Running(Arc::new(tenure), None);
    }

    pub(super) fn disarm(&mut self) {
        self.state = State::Settled;
    }

    /// What is known of the claim while it runs.
    pub(crate) fn tenure(&self) -> Option<&Arc<Tenure>> {
        match &self.state {
            State::Running(tenure, _) => Some(tenure),
            State::Sent(_) | State::Answered(_) | State::Settled => None,
        }
    }

    /// Has the claim renewed while it runs, for `longest` at most.
    pub(crate) fn renew_for(&mut self, longest: Duration) {
        if let State::Running(tenure, renewal) = &mut self.state {
            *renewal = Some(self.claims.0.renewals.add(tenure, longest));
        }
    }

    /// From now on a drop frees the key, whatever happens to dead owners otherwise: the work has
    /// ended, and may be done again.
    pub(crate) fn free_on_drop(&mut self) {
        self.on_drop = OnLapsed::TakeOver;
    }

    /// There is an answer: from now on a drop records it.
    pub(crate) fn answered(&mut self, record: Record, retention: Duration) {
        if let State::Running(tenure, renewal) = &mut self.state {
            let completion = Completion::new(Arc::clone(tenure), renewal.take(), record, retention);
            self.state = State::Answered(Box::new(completion));
        }
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
        let (key, outcome) = match &self.state {
            State::Running(tenure, _) => (tenure.key(), release(&self.claims, tenure).await),
            State::Answered(completion) => {
                (completion.key(), completion.attempt(&self.claims).await)
            }
            State::Sent(_) | State::Settled => return Settled::Lost,
        };
        match outcome {
            Ok(settled) => {
                self.state = State::Settled;
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
        let state = std::mem::replace(&mut self.state, State::Settled);
        let mut job = match state {
            State::Sent(claim) => Job::Undo(claim),
            State::Running(tenure, _) => match self.on_drop {
                OnLapsed::TakeOver => Job::Release(tenure),
                OnLapsed::Report => {
                    log::warn!(
                        "{} was cut off; nobody knows what it has done",
                        tenure.key()
                    );
                    return;
                }
            },
            State::Answered(completion) => Job::Complete(completion),
            State::Settled => return,
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
