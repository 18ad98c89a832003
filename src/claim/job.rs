use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::{Claims, patience::Patience};
use crate::store::{Held, Lease, NewClaim, StoreKey};

/// How many releases and undos may be under way at once in a process. Beyond that the leases do
/// the work; it is a bound on memory, met only when a store stays away under full load.
const MOST_JOBS: usize = 10_000;
/// How long a claim without an answer is looked for after the store was last out of reach,
/// whatever its lease.
const LONGEST_SEARCH: Duration = Duration::from_secs(600);

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

    pub(super) async fn run(self, claims: &Claims) {
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
