use std::{sync::Arc, time::Duration};

use super::{
    claim_state::{ClaimState, Cleanup, Stage},
    commit::CommitStage,
    completion::Completion,
    context::{Context, report},
    drain::DrainGuard,
    held_claim::HeldClaim,
    job::Job,
    release::{release, settled},
    renewals::{Kept, Renewals},
};
use crate::{
    event::{Ending, EventBuilder, FinishOutcome, Incident, IncidentKind, Outcome},
    fingerprint::Fingerprint,
    runtime::{background, log},
    store::{Held, NewClaim, Record},
};

/// Holds a claim. Dropped at any moment, in any state, on any thread, it sees to it that what has
/// to follow does follow, in the background: while the claim runs the key becomes free (or its
/// lease expires, where a dead owner must not be forgotten); once there is a response it is recorded,
/// and from then on nothing ever releases. A completion that timed out may have been carried out; a
/// release after it would let the work run twice.
///
/// Its `Drop` neither waits nor panics and needs no runtime; it may run in an unwinding thread
/// or in a worker whose runtime is ending.
#[derive(Debug)]
pub(crate) struct Guard {
    context: Context,
    state: ClaimState<Arc<NewClaim>, Running, Answered>,
    ticket: Option<DrainGuard>,
    event: EventBuilder,
}

/// A key that is held.
#[derive(Debug)]
struct Running {
    claim: Arc<NewClaim>,
    kept: Kept,
}

/// A claimed key, and the record that has to replace the claim.
#[derive(Debug)]
struct Answered {
    claim: Arc<NewClaim>,
    completion: Box<Completion>,
}

impl Guard {
    pub(super) fn sent(context: Context, claim: Arc<NewClaim>) -> Self {
        let on_drop = claim.on_expired_lease;
        Self {
            ticket: Some(context.drain_guard()),
            state: ClaimState::sent(claim, on_drop),
            context,
            event: EventBuilder::default(),
        }
    }

    pub(super) fn running(&mut self, held_claim: HeldClaim) {
        self.state.claimed(|claim| Running {
            claim,
            kept: Kept::new(held_claim),
        });
    }

    /// The claim was never sent.
    pub(super) fn disarm(&mut self) {
        self.state.finished();
    }

    /// The store has said what else holds the key.
    pub(super) fn refused(mut self, claim: &Arc<NewClaim>) {
        self.state.gone(sent_again(claim));
    }

    /// What is known of the claim while it runs.
    pub(crate) fn held_claim(&self) -> Option<&Arc<HeldClaim>> {
        match &self.state.stage {
            Stage::Running(running) | Stage::InDoubt(running) | Stage::Committed(running) => {
                Some(running.kept.held_claim())
            }
            Stage::Sent(_) | Stage::Answered(_) | Stage::Finished => None,
        }
    }

    /// The work has ended: returns how far it has come with a transaction that completes the claim, and follows it
    /// there.
    pub(crate) fn follow_commit(&mut self) -> CommitStage {
        let Stage::Running(running) = &self.state.stage else {
            return match self.state.stage {
                Stage::InDoubt(_) => CommitStage::InDoubt,
                Stage::Committed(_) => CommitStage::Committed,
                _ => CommitStage::Open,
            };
        };
        let stage = running.kept.held_claim().close_commit();
        match stage {
            CommitStage::Open => {}
            CommitStage::InDoubt => self.state.in_doubt(),
            CommitStage::Committed => {
                self.event.record(|event| {
                    event.ending = Some(Ending::Committed);
                    event.finish = Some(FinishOutcome::Confirmed);
                });
                // A late copy of the claim finds a record, too.
                self.state.committed();
            }
        }
        stage
    }

    /// Returns the fingerprint of the request that runs.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        match &self.state.stage {
            Stage::Running(running) | Stage::InDoubt(running) | Stage::Committed(running) => {
                running.claim.fingerprint
            }
            Stage::Sent(_) | Stage::Answered(_) | Stage::Finished => None,
        }
    }

    /// The work begins. What is known of it so far goes along with the claim from here on, and is told
    /// when it ends. By value, because a future keeps room to its end for whatever is once borrowed
    /// in it.
    pub(crate) fn observed(mut self, event: EventBuilder) -> Self {
        self.event = event;
        let attempt = self.held_claim().map(|held_claim| held_claim.attempt());
        self.event.record(|event| {
            event.outcome = Outcome::Executed;
            event.attempt = attempt;
        });
        self.event.start_step();
        self
    }

    /// The work has come to a response of this status.
    pub(crate) fn worked(&mut self, status: u16) {
        self.ended();
        self.event.record(|event| event.status = Some(status));
    }

    /// The work has ended.
    pub(crate) fn ended(&mut self) {
        (self.event).end_step(|event, took| event.handler_duration = Some(took));
    }

    /// Has the claim renewed while it runs, for `longest` at most.
    pub(super) fn renewed_by(&mut self, renewals: &Arc<Renewals>, longest: Duration) {
        if let Stage::Running(running) = &mut self.state.stage {
            running.kept.renew(renewals, longest);
        }
    }

    /// From now on a drop frees the key, whatever happens to dead owners otherwise: the work has
    /// ended, and may be done again.
    pub(crate) fn free_on_drop(&mut self) {
        self.state.free_on_drop();
    }

    /// From now on a drop leaves the key to its lease: nobody knows what has been done.
    pub(crate) fn lapse_on_drop(&mut self) {
        self.state.lapse_on_drop();
    }

    /// There is a response: from now on a drop records it.
    pub(crate) fn answered(&mut self, record: Record, retention: Duration) {
        if self.follow_commit() != CommitStage::Open {
            return;
        }
        self.event.record(|event| match &record {
            Record::Response(answer) => {
                event.ending = Some(Ending::Recorded);
                event.recorded_body = Some(answer.body.len());
            }
            Record::Tombstone(_) => event.ending = Some(Ending::Tombstone),
        });
        if let (Record::Tombstone(_), Some(held_claim)) = (&record, self.held_claim()) {
            let key = held_claim.key();
            log::info!(
                key:%, ending = "tombstone";
                "{key} is done, and its response is not stored: it is too large, was cut off, or must not be stored"
            );
        }
        self.state.answered(|running| Answered {
            claim: running.claim,
            completion: Box::new(Completion::new(running.kept, record, retention)),
        });
    }

    /// Records the response now, as [`finish`](Self::finish) does.
    pub(crate) async fn complete(mut self, record: Record, retention: Duration) -> FinishOutcome {
        self.answered(record, retention);
        self.finish().await
    }

    /// Tells the store how the work has ended: its response, if there is one, otherwise that the key
    /// is free. Takes at most one call to the store; if that fails, or if this future is dropped,
    /// the background goes on.
    pub(crate) async fn finish(mut self) -> FinishOutcome {
        self.follow_commit();
        self.free_on_drop();
        self.event.start_step();
        let is_in_doubt = matches!(self.state.stage, Stage::InDoubt(_));
        let (key, claim, outcome) = match &self.state.stage {
            Stage::Running(Running { claim, kept }) | Stage::InDoubt(Running { claim, kept }) => {
                let held_claim = kept.held_claim();
                let outcome = release(&self.context, held_claim).await.map(|held| {
                    // A claim that is gone is one that was committed.
                    if is_in_doubt && held == Held::Lost {
                        (self.event).record(|event| event.ending = Some(Ending::Committed));
                        return FinishOutcome::Confirmed;
                    }
                    settled(held_claim, held)
                });
                (held_claim.key(), claim, outcome)
            }
            Stage::Answered(Answered { claim, completion }) => {
                let outcome = completion.attempt(&self.context).await;
                (completion.key(), claim, outcome)
            }
            Stage::Committed(_) => return FinishOutcome::Confirmed,
            Stage::Sent(_) | Stage::Finished => return FinishOutcome::Lost,
        };
        let settled = match &outcome {
            Ok(outcome) => *outcome,
            Err(err) => {
                log::warn!(key:%, error:% = err; "{key} is finished in the background: {err}");
                FinishOutcome::Deferred
            }
        };
        let is_recorded =
            settled == FinishOutcome::Confirmed && matches!(self.state.stage, Stage::Answered(_));
        let sent_again = sent_again(claim).filter(|_| !is_recorded);
        let failed = outcome.err().map(|err| err.kind());
        self.event.end_step(|event, took| {
            event.finish_duration = Some(took);
            event.finish = Some(settled);
            event.store_error = failed;
            event.ending.get_or_insert(Ending::Freed);
        });
        if failed.is_none() {
            // A late copy of the claim finds a record, or a vacant key.
            self.state.gone(sent_again);
        }
        settled
    }

    /// The work ends here, and what is left of it is not waited for.
    fn ends(&mut self, ending: Ending) {
        self.event.record(|event| {
            event.finish.get_or_insert(FinishOutcome::Deferred);
            event.ending.get_or_insert(ending);
        });
    }
}

/// The claim, if it was sent more than once.
fn sent_again(claim: &Arc<NewClaim>) -> Option<Arc<NewClaim>> {
    claim.notes.was_sent_again().then(|| Arc::clone(claim))
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.follow_commit();
        let cleanup = self.state.cleanup();
        match &cleanup {
            Cleanup::Release(_) | Cleanup::Record(_) => self.ends(Ending::Freed),
            Cleanup::Lapse(_) => self.ends(Ending::Lapsed),
            Cleanup::Undo(_) | Cleanup::Nothing => {}
        }
        let mut job = match cleanup {
            Cleanup::Undo(claim) => Job::Undo(claim),
            Cleanup::Release(Running { claim, kept }) => {
                Job::Release(Arc::clone(kept.held_claim()), claim)
            }
            Cleanup::Record(Answered { claim, completion }) => Job::Complete(completion, claim),
            Cleanup::Lapse(running) => {
                let key = running.kept.held_claim().key();
                log::warn!(
                    key:%, ending = "lapsed";
                    "{key} was cut off; its outcome is unknown"
                );
                return;
            }
            Cleanup::Nothing => return,
        };
        let Some(place) = job.take_place(&self.context) else {
            let key = job.key();
            report!(
                self.context, error, Incident::about_claim(IncidentKind::Overloaded, key),
                key:%;
                "background queue is full; {key} stays claimed until its lease expires"
            );
            return;
        };
        let (context, ticket) = (self.context.clone(), self.ticket.take());
        background::spawn(async move {
            job.run(&context, ticket).await;
            drop(place);
        });
    }
}
