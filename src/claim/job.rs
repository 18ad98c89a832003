use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    backoff::Backoff,
    completion::Completion,
    context::{Context, report},
    drain::DrainGuard,
    held_claim::HeldClaim,
    undo::Undo,
};
use crate::{
    event::{FinishOutcome, Incident, IncidentKind},
    runtime::log,
    store::{Held, NewClaim, StoreKey},
};

/// How many jobs may be under way at once in a process. Beyond that the leases do the work; it is
/// a bound on memory, met only when a store stays away under full load.
const MOST_JOBS: usize = 10_000;
/// How many bytes of responses may wait to be recorded. Beyond that only what has been done is
/// remembered, not what was answered.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The longest rest between two tries.
const LONGEST_REST: Duration = Duration::from_secs(1);

static JOBS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

/// What a guard leaves to the background.
pub(super) enum Job {
    /// Frees a key that is held.
    Release(Arc<HeldClaim>, Arc<NewClaim>),
    /// Frees a key that may come to be held.
    Undo(Arc<NewClaim>),
    /// Records a response.
    Complete(Box<Completion>, Arc<NewClaim>),
}

impl Job {
    pub(super) fn key(&self) -> &StoreKey {
        match self {
            Self::Release(held_claim, _) => held_claim.key(),
            Self::Undo(claim) => &claim.key,
            Self::Complete(completion, _) => completion.key(),
        }
    }

    /// One of the [`MOST_JOBS`] places, if there is one.
    pub(super) fn take_place(&mut self, context: &Context) -> Option<JobPermit> {
        if JOBS.fetch_add(1, Ordering::AcqRel) >= MOST_JOBS {
            JOBS.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let mut place = JobPermit { bytes: 0 };
        if let Self::Complete(completion, _) = self {
            place.bytes = completion.size();
            if BYTES.fetch_add(place.bytes, Ordering::AcqRel) + place.bytes > MOST_BYTES {
                let key = completion.key();
                report!(
                    context, warn, Incident::about_claim(IncidentKind::Buried, key),
                    key:%;
                    "{key} is recorded without its response"
                );
                completion.drop_body();
                BYTES.fetch_sub(std::mem::take(&mut place.bytes), Ordering::AcqRel);
            }
        }
        Some(place)
    }

    /// Does it, and then looks for the other copy of a claim that was sent twice and that leaves no
    /// record. The ticket goes when there is nothing left to wait for.
    pub(super) async fn run(self, context: &Context, ticket: Option<DrainGuard>) {
        let is_undo = matches!(self, Self::Undo(_));
        let claim = match self {
            Self::Undo(claim) => claim,
            Self::Release(held_claim, claim) => {
                release(context, &held_claim).await;
                claim
            }
            Self::Complete(completion, claim) => {
                if completion.insist(context).await == FinishOutcome::Confirmed {
                    return;
                }
                claim
            }
        };
        if is_undo || claim.notes.was_sent_again() {
            Undo::new(&claim, ticket).run(context).await;
        }
    }
}

/// Tells the store until it has heard; after the lease the key is free anyway.
async fn release(context: &Context, held_claim: &HeldClaim) {
    let lease = held_claim.lease();
    let mut backoff = Backoff::until(held_claim.lapses_at());
    loop {
        let failed = match context.release(lease).await {
            Ok(Held::Yes | Held::Lost) => return,
            Err(err) => err,
        };
        let key = lease.key();
        log::debug!(key:%, error:% = failed; "{key} is not released yet: {failed}");
        if !backoff.rest(LONGEST_REST).await {
            report!(
                context, warn,
                Incident::about_claim(IncidentKind::NotReleased, key).caused_by(failed.kind()),
                key:%, error:% = failed;
                "{key} could not be released before its lease expired"
            );
            return;
        }
    }
}

/// One of the [`MOST_JOBS`] places, and the bytes that it holds.
pub(super) struct JobPermit {
    bytes: usize,
}

impl Drop for JobPermit {
    fn drop(&mut self) {
        JOBS.fetch_sub(1, Ordering::AcqRel);
        BYTES.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
