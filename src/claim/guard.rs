use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{Claims, in_progress::Ticket, patience::Patience};
use crate::{
    background,
    store::{Held, Lease, NewClaim},
};

/// How many releases and undos may be under way at once in a process. Beyond that the leases do
/// the work; it is a bound on memory, met only when a store stays away under full load.
const MOST_JOBS: usize = 10_000;
/// How long a claim without an answer is looked for after the store was last out of reach,
/// whatever its lease.
const LONGEST_SEARCH: Duration = Duration::from_secs(600);

static JOBS: AtomicUsize = AtomicUsize::new(0);

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
            job.run(&claims).await;
            drop((ticket, place));
        });
    }
}

/// What a guard leaves to the background.
enum Job {
    /// Frees a key that is held.
    Release(Lease, Instant),
    /// Frees a key that may come to be held.
    Undo(NewClaim),
}

impl Job {
    fn key(&self) -> &crate::store::StoreKey {
        match self {
            Self::Release(lease, _) => lease.key(),
            Self::Undo(claim) => &claim.key,
        }
    }

    async fn run(self, claims: &Claims) {
        match self {
            Self::Release(lease, since) => release(claims, &lease, since).await,
            Self::Undo(claim) => undo(claims, &claim).await,
        }
    }
}

/// Tells the store until it has heard; after the lease the key is free anyway.
async fn release(claims: &Claims, lease: &Lease, since: Instant) {
    let mut patience = Patience::until(since + lease.duration());
    loop {
        match claims.release(lease).await {
            Ok(Held::Yes | Held::Lost) => return,
            Err(err) => log::debug!("{} is not released yet: {err}", lease.key()),
        }
        if !patience.rest().await {
            log::warn!(
                "{} could not be released, its lease has ended it",
                lease.key()
            );
            return;
        }
    }
}

/// Looks for the claim until it is found or cannot come any more. Not finding it once proves
/// nothing: the claim may still wait in a socket of a paused server, to be carried out after the
/// undo that overtook it. It stands for its lease at most once the store works again.
async fn undo(claims: &Claims, claim: &NewClaim) {
    let lease = claim.lease();
    let search = (claim.lease.saturating_add(claim.afterlife)).min(LONGEST_SEARCH);
    let given_up = Instant::now() + LONGEST_SEARCH;
    let mut patience = Patience::until(Instant::now() + search);
    loop {
        match claims.release(&lease).await {
            Ok(Held::Yes) => {
                log::info!("{} was claimed unheard and is free again", lease.key());
                return;
            }
            Ok(Held::Lost) => {}
            Err(err) => {
                log::debug!("{} is not undone yet: {err}", lease.key());
                patience.extend((Instant::now() + search).min(given_up));
            }
        }
        if !patience.rest().await {
            return;
        }
    }
}

/// One of the [`MOST_JOBS`] places.
struct Place(());

impl Place {
    fn take() -> Option<Self> {
        if JOBS.fetch_add(1, Ordering::AcqRel) < MOST_JOBS {
            return Some(Self(()));
        }
        JOBS.fetch_sub(1, Ordering::AcqRel);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        JOBS.fetch_sub(1, Ordering::AcqRel);
    }
}
