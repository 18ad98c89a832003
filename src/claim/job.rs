use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{Claims, in_progress::Ticket, patience::Patience, undo::Undo};
use crate::store::{Held, Lease, NewClaim, StoreKey};

/// How many releases and undos may be under way at once in a process. Beyond that the leases do
/// the work; it is a bound on memory, met only when a store stays away under full load.
const MOST_JOBS: usize = 10_000;
/// The longest rest between two tries.
const LONGEST_REST: Duration = Duration::from_secs(1);

static JOBS: AtomicUsize = AtomicUsize::new(0);

/// What a guard leaves to the background.
pub(super) enum Job {
    /// Frees a key that is held.
    Release(Lease, Instant),
    /// Frees a key that may come to be held.
    Undo(NewClaim),
}

impl Job {
    pub(super) fn key(&self) -> &StoreKey {
        match self {
            Self::Release(lease, _) => lease.key(),
            Self::Undo(claim) => &claim.key,
        }
    }

    /// Does it. The ticket goes when there is nothing left to wait for.
    pub(super) async fn run(self, claims: &Claims, ticket: Option<Ticket>) {
        match self {
            Self::Release(lease, since) => release(claims, &lease, since, ticket).await,
            Self::Undo(claim) => Undo::of(&claim, ticket).run(claims).await,
        }
    }
}

/// Tells the store until it has heard; after the lease the key is free anyway.
async fn release(claims: &Claims, lease: &Lease, since: Instant, _ticket: Option<Ticket>) {
    let mut patience = Patience::until(since + lease.duration());
    loop {
        match claims.release(lease).await {
            Ok(Held::Yes | Held::Lost) => return,
            Err(err) => log::debug!("{} is not released yet: {err}", lease.key()),
        }
        if !patience.rest(LONGEST_REST).await {
            log::warn!(
                "{} could not be released, its lease has ended it",
                lease.key()
            );
            return;
        }
    }
}

/// One of the [`MOST_JOBS`] places.
pub(super) struct Place(());

impl Place {
    pub(super) fn take() -> Option<Self> {
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
