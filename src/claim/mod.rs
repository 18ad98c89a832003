//! The core that knows claims but not HTTP: begin, wait, hold, renew, complete, undo, drain.

mod backoff;
mod claim_state;
mod commit;
mod completion;
mod context;
mod drain;
mod fencing_error;
mod guard;
mod held_claim;
mod job;
#[cfg(all(test, feature = "memory"))]
mod model;
mod outcome;
mod refusal_log;
mod release;
mod renewals;
mod terms;
mod undo;
mod watches;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout, timeout_at};

#[cfg(test)]
pub(crate) use self::claim_state::{ClaimState, Cleanup};
#[cfg(feature = "sql")]
pub(crate) use self::commit::CommitRefused;
pub use self::fencing_error::FencingError;
pub(crate) use self::{
    commit::CommitStage,
    guard::Guard,
    held_claim::{HeldClaim, RecordOverrides, RecordRule},
    outcome::ClaimOutcome,
    terms::ClaimTerms,
};
use self::{
    context::{Context, report},
    refusal_log::{Ended, Line, RefusalLog},
    renewals::Renewals,
    watches::Watches,
};
use crate::{
    event::{EventBuilder, Incident, IncidentKind, Observer},
    runtime::log,
    store::{
        Begin, ClaimNotes, CompletionSql, NewClaim, OwnerToken, Store, StoreError, StoreKey, erase,
    },
};

/// How long who waits for a claim rests after the store could not be asked.
const AWAY: Duration = Duration::from_millis(100);

/// A store, and what has been begun on it.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: Context,
    renewals: Arc<Renewals>,
    watches: Arc<Watches>,
    refusals: RefusalLog,
    /// The mistakes of set-up that were reported, a bit for each kind.
    reported: AtomicU32,
}

impl Claims {
    pub(crate) fn new(store: impl Store) -> Self {
        Self::with(Context::new(erase(store), None))
    }

    /// On the same store, with nothing begun yet, and observed.
    pub(crate) fn observed_by(&self, observer: Observer) -> Self {
        let store = Arc::clone(self.0.context.store());
        Self::with(Context::new(store, Some(observer)))
    }

    fn with(context: Context) -> Self {
        Self(Arc::new(Inner {
            context,
            renewals: Arc::default(),
            watches: Arc::default(),
            refusals: RefusalLog::default(),
            reported: AtomicU32::new(0),
        }))
    }

    /// Reports a mistake of set-up in these words, the first time that it is seen.
    pub(crate) fn report_once(&self, kind: IncidentKind, words: fmt::Arguments<'_>) {
        if self.is_first(kind) {
            report!(self.0.context, warn, Incident::about_claims(kind, 1); "{words} (reported once)");
        }
    }

    /// Returns whether a mistake is seen for the first time.
    fn is_first(&self, kind: IncidentKind) -> bool {
        let bit = 1 << kind as u32;
        self.0.reported.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Reports a mistake of the application: to the observer each time, and as a line the first time.
    pub(crate) fn report_each(&self, kind: IncidentKind, words: fmt::Arguments<'_>) {
        if self.is_first(kind) {
            log::warn!(incident = kind.as_str(); "{words} (logged once)");
        }
        self.0.context.tell(&Incident::about_claims(kind, 1));
    }

    /// Returns the statement that completes a claim in a transaction of the application, if the store has one.
    pub(crate) fn completion(&self) -> Option<CompletionSql> {
        self.0.context.store().completion()
    }

    /// Begins the event of a request.
    pub(crate) fn begin_event(&self) -> EventBuilder {
        self.0.context.begin_event()
    }

    /// Logs that a request is refused because the store cannot be asked: the first one of an outage, and
    /// then one line a second for all. `shadow` says that it runs all the same.
    pub(crate) fn log_refusal(&self, key: &StoreKey, err: &StoreError, shadow: bool) {
        let outcome = "store_error";
        match (self.0.refusals.refused(), shadow) {
            (Line::First, false) => log::warn!(
                key:%, outcome, error:% = err, shadow;
                "{key} does not run: {err}"
            ),
            (Line::First, true) => log::warn!(
                key:%, outcome, error:% = err, shadow;
                "{key} would not have run: {err}"
            ),
            (Line::More(requests), false) => log::warn!(
                key:%, outcome, requests, error:% = err, shadow;
                "{requests} more requests do not run, last {key}: {err}"
            ),
            (Line::More(requests), true) => log::warn!(
                key:%, outcome, requests, error:% = err, shadow;
                "{requests} more requests would not have run, last {key}: {err}"
            ),
            (Line::Nothing, _) => {}
        }
    }

    /// Logs that an outage in which requests were refused is over.
    fn log_recovery(&self) {
        if let Some(Ended { refused, lasted }) = self.0.refusals.answered() {
            let lasted_ms = lasted.as_millis();
            log::warn!(
                requests = refused, lasted_ms:%;
                "the store replies again: {refused} requests were refused in {lasted_ms} ms"
            );
        }
    }

    /// Claims a key.
    ///
    /// The guard is armed before anything is sent: this future can be dropped while the store is
    /// already carrying the claim out.
    pub(crate) async fn begin(&self, claim: &Arc<NewClaim>) -> Result<ClaimOutcome, StoreError> {
        let context = &self.0.context;
        let mut guard = Guard::sent(context.clone(), Arc::clone(claim));
        let asked = Instant::now();
        let begun = context.store().begin(claim).await;
        if begun.is_ok() {
            self.log_recovery();
        }
        for warning in claim.notes.warnings() {
            context.tell(&Incident::about_claims(warning.into(), 1));
        }
        let begun = match begun {
            Ok(Begin::Claimed { lease, attempt }) => {
                if attempt.get() > 1 {
                    let key = &claim.key;
                    log::info!(
                        key:%, attempt:%;
                        "{key} is taken over from a crashed owner, as attempt {attempt}"
                    );
                }
                guard.running(HeldClaim::new(context.clone(), lease, attempt, asked));
                return Ok(ClaimOutcome::Mine(guard));
            }
            Ok(begin) => meaning(begin, claim),
            Err(err) => {
                if !err.may_have_run() {
                    guard.disarm();
                }
                return Err(err);
            }
        };
        guard.refused(claim);
        Ok(begun)
    }

    /// Claims a key, and while the same work is under way elsewhere waits for it to end, until the
    /// given moment, unless `most` wait already. Tells how long it has waited, if it has.
    ///
    /// Whoever has seen the work under way is never told that the store is away: an application
    /// that fails open would run what it knows to be running. The wait goes on instead.
    pub(crate) async fn begin_or_wait(
        &self,
        claim: &Arc<NewClaim>,
        until: Instant,
        most: usize,
    ) -> (Result<ClaimOutcome, StoreError>, Option<Duration>) {
        let (mut seen, mut left) = match self.begin(claim).await {
            Ok(ClaimOutcome::InFlight { by: Some(by), left }) => (by, left),
            begun => return (begun, None),
        };
        let Some(_permit) = self.0.watches.take_permit(most) else {
            return (Ok(ClaimOutcome::in_flight(seen, left)), None);
        };
        let since = Instant::now();
        while Instant::now() < until {
            let change = Watches::watch(&self.0.watches, self.0.context.store(), &claim.key, seen);
            if timeout_at(until, change.happens()).await.is_err() {
                break;
            }
            let again = Arc::new(NewClaim {
                token: OwnerToken::random(),
                notes: ClaimNotes::default(),
                ..NewClaim::clone(claim)
            });
            match self.begin(&again).await {
                Ok(ClaimOutcome::InFlight {
                    by: Some(by),
                    left: now_left,
                }) => {
                    if by == seen {
                        // A watch may end early; it must not make a loop without a rest.
                        sleep(AWAY).await;
                    }
                    (seen, left) = (by, now_left);
                }
                Ok(begun) => return (Ok(begun), Some(since.elapsed())),
                Err(err) => {
                    let key = &claim.key;
                    log::debug!(key:%, error:% = err; "{key} is still waited for: {err}");
                    sleep(AWAY).await;
                }
            }
        }
        (
            Ok(ClaimOutcome::in_flight(seen, left)),
            Some(since.elapsed()),
        )
    }

    /// Has a claim renewed while its guard lives, for `longest` at most.
    pub(crate) fn keep_renewed(&self, guard: &mut Guard, longest: Duration) {
        guard.renewed_by(&self.0.renewals, longest);
    }

    /// Waits until all that is in progress now has settled: running claims, releases, completions,
    /// undos (as far as they are likely to find anything). False when time ran out first.
    pub(crate) async fn drain(&self, limit: Duration) -> bool {
        timeout(limit, self.0.context.drained()).await.is_ok()
    }

    /// Waits for the signal, and then for what is in progress, for `limit` at most.
    pub(crate) fn drain_on<F>(
        &self,
        signal: F,
        limit: Duration,
    ) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future + Send,
    {
        let claims = self.clone();
        async move {
            drop(signal.await);
            if !claims.drain(limit).await {
                let limit_ms = limit.as_millis();
                log::warn!(limit_ms:%; "work is still in progress {limit:?} after the stop signal");
            }
        }
    }
}

/// What a store's answer means to this claim. The fingerprint is looked at first.
pub(crate) fn meaning(begin: Begin, claim: &NewClaim) -> ClaimOutcome {
    let differs = |fingerprint: Option<&_>| fingerprint != claim.fingerprint.as_ref();
    match begin {
        // A lock says nothing of itself, so nobody can say that it stands for other work.
        Begin::InFlight { by: None, left, .. } => ClaimOutcome::InFlight { by: None, left },
        Begin::InFlight { fingerprint, .. } if differs(fingerprint.as_ref()) => {
            ClaimOutcome::Mismatch
        }
        Begin::InFlight { by, left, .. } => ClaimOutcome::InFlight { by, left },
        Begin::Expired { fingerprint } if differs(fingerprint.as_ref()) => ClaimOutcome::Mismatch,
        // A claim that has been handed out ends before this; the compiler cannot know.
        Begin::Expired { .. } | Begin::Claimed { .. } => ClaimOutcome::Expired,
        Begin::Finished(record) if differs(record.fingerprint()) => ClaimOutcome::Mismatch,
        Begin::Finished(record) => ClaimOutcome::Finished(record),
        Begin::Unreadable => ClaimOutcome::Unreadable,
    }
}

#[cfg(test)]
mod tests;
