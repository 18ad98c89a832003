use std::time::Duration;

use tokio::time::Instant;

use super::{
    backoff::Backoff,
    context::{Context, report},
    renewals::Kept,
};
use crate::{
    event::{FinishOutcome, Incident, IncidentKind},
    runtime::log,
    store::{Held, Record, StoreError, StoreKey},
};

/// How long a response is tried to be recorded. Longer than most outages; after it the response has
/// been gone for so long that hardly a client still asks.
const LONGEST_TRY: Duration = Duration::from_secs(600);
/// The longest rest between two tries.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// A record on its way into the store. The claim goes on being renewed until it is there.
#[derive(Debug)]
pub(super) struct Completion {
    kept: Kept,
    record: Record,
    retention: Duration,
}

impl Completion {
    pub(super) fn new(kept: Kept, record: Record, retention: Duration) -> Self {
        Self {
            kept,
            record,
            retention,
        }
    }

    pub(super) fn key(&self) -> &StoreKey {
        self.kept.held_claim().key()
    }

    /// The bytes that it keeps in memory.
    pub(super) fn size(&self) -> usize {
        match &self.record {
            Record::Response(answer) => answer.size(),
            Record::Tombstone(_) => 0,
        }
    }

    /// Gives the response's bytes up. The work will still not be done twice.
    pub(super) fn drop_body(&mut self) {
        if let Record::Response(answer) = &self.record {
            self.record = Record::Tombstone(answer.to_tombstone());
        }
    }

    /// Tells the store once.
    pub(super) async fn attempt(&self, context: &Context) -> Result<FinishOutcome, StoreError> {
        let held_claim = self.kept.held_claim();
        held_claim.set_ending(true);
        let lease = held_claim.lease();
        let held = context.complete(lease, &self.record, self.retention).await;
        // If it has not been heard, the claim has to last until it is.
        held_claim.set_ending(held.is_ok());
        match held? {
            Held::Yes => Ok(FinishOutcome::Confirmed),
            Held::Lost => {
                let key = self.key();
                log::warn!(
                    key:%, settled = "lost";
                    "{key} has another owner; the response of this run is not recorded"
                );
                Ok(FinishOutcome::Lost)
            }
        }
    }

    /// Tells the store until it has heard. `Later` says that time has run out.
    pub(super) async fn insist(&self, context: &Context) -> FinishOutcome {
        let mut backoff = Backoff::until(Instant::now() + LONGEST_TRY);
        let key = self.key();
        loop {
            let err = match self.attempt(context).await {
                Ok(settled) => {
                    if settled == FinishOutcome::Lost {
                        context.tell(&Incident::about_claim(IncidentKind::Superseded, key));
                    }
                    return settled;
                }
                Err(err) => err,
            };
            log::debug!(key:%, error:% = err; "{key} is not recorded yet: {err}");
            if !backoff.rest(LONGEST_REST).await {
                report!(
                    context, error,
                    Incident::about_claim(IncidentKind::NotRecorded, key).caused_by(err.kind()),
                    key:%, error:% = err;
                    "{key} could not be recorded: {err}"
                );
                return FinishOutcome::Deferred;
            }
        }
    }
}
