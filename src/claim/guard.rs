use tokio::time::Instant;

use super::{
    Claims,
    in_progress::Ticket,
    job::{Job, Place},
};
use crate::{
    background,
    store::{Held, Lease, NewClaim},
};

/// Holds a claim. Dropped at any moment, in any state, on any thread, it sees to it that the key
/// becomes free: the store is told in the background, and told again until it has heard.
///
/// Its `Drop` neither waits nor panics and needs no runtime; it may run in an unwinding thread
/// or in a worker whose runtime is ending.
#[derive(Debug)]
pub(crate) struct Guard {
    claims: Claims,
    state: State,
    ticket: Option<Ticket>,
}

#[derive(Debug)]
enum State {
    /// The claim is under way: it may have been carried out, or be carried out later.
    Sent(NewClaim),
    /// The key is held, since the given moment at the latest.
    Running(Lease, Instant),
    /// There is nothing to give back.
    Settled,
}

impl Guard {
    pub(super) fn sent(claims: Claims, claim: NewClaim) -> Self {
        Self {
            ticket: Some(claims.in_progress.ticket()),
            state: State::Sent(claim),
            claims,
        }
    }

    pub(super) fn running(&mut self, lease: Lease) {
        self.state = State::Running(lease, Instant::now());
    }

    pub(super) fn disarm(&mut self) {
        self.state = State::Settled;
    }

    /// Frees the key now. Takes at most one call to the store; if that fails, or if this future
    /// is dropped, the background goes on.
    pub(crate) async fn release(mut self) {
        let State::Running(lease, _) = &self.state else {
            return;
        };
        match self.claims.release(lease).await {
            Ok(Held::Yes) => {}
            Ok(Held::Lost) => log::warn!(
                "{} was no longer held when its run ended: it took longer than the lock lasts, \
                 or somebody deleted the key",
                lease.key()
            ),
            Err(err) => {
                log::warn!("{} is released in the background: {err}", lease.key());
                return;
            }
        }
        self.state = State::Settled;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Settled);
        let job = match state {
            State::Sent(claim) => Job::Undo(claim),
            State::Running(lease, since) => Job::Release(lease, since),
            State::Settled => return,
        };
        let Some(place) = Place::take() else {
            log::warn!(
                "too much is waiting to be released, {} is left to its lease",
                job.key()
            );
            return;
        };
        let (claims, ticket) = (self.claims.clone(), self.ticket.take());
        background::spawn(async move {
            job.run(&claims, ticket).await;
            drop(place);
        });
    }
}
