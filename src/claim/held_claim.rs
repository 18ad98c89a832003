use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    FencingError,
    commit::{Commit, CommitStage},
    context::{Context, report},
};
use crate::{
    event::{Incident, IncidentKind},
    store::{Lease, Renewed, StoreError, StoreKey, StoreTime},
};

/// A claim that is held, and what is known of it. Shared by its guard, by the renewals, and by
/// whoever does the work.
pub(crate) struct HeldClaim {
    context: Context,
    lease: Lease,
    attempt: NonZeroU32,
    /// When the store was asked the last time that it said yes. Locked to read or write it.
    confirmed: Mutex<Instant>,
    lost: AtomicBool,
    /// The store is being told how the work has ended: not finding the claim says nothing now.
    ending: AtomicBool,
    /// Notified when the claim is lost.
    loss: Notify,
    /// Locked to read or write them.
    overrides: Mutex<RecordOverrides>,
    commit: Commit,
}

impl HeldClaim {
    pub(super) fn new(context: Context, lease: Lease, attempt: NonZeroU32, asked: Instant) -> Self {
        Self {
            context,
            lease,
            attempt,
            confirmed: Mutex::new(asked),
            lost: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            loss: Notify::new(),
            overrides: Mutex::default(),
            commit: Commit::default(),
        }
    }

    /// The work has ended: no commit begins any more.
    pub(super) fn close_commit(&self) -> CommitStage {
        self.commit.close()
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What whoever does the work wants to become of its record.
    pub(crate) fn overrides(&self) -> MutexGuard<'_, RecordOverrides> {
        self.overrides
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn key(&self) -> &StoreKey {
        self.lease.key()
    }

    pub(crate) fn attempt(&self) -> NonZeroU32 {
        self.attempt
    }

    /// When the claim was certain.
    pub(super) fn confirmed(&self) -> Instant {
        *self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago the claim was certain.
    pub(super) fn age(&self) -> Duration {
        self.confirmed().elapsed()
    }

    /// When the lease ends as far as this process knows.
    pub(super) fn lapses_at(&self) -> Instant {
        self.confirmed() + self.lease.duration()
    }

    /// Whether the claim is another's or nobody's by now, as far as this process knows: the store
    /// said so, or the lease ran out before the store could be told.
    pub(crate) fn is_lost(&self) -> bool {
        self.store_said_lost() || self.age() >= self.lease.duration()
    }

    pub(super) fn store_said_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether there is no sense in renewing it, for the moment or for good.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    pub(super) fn set_ending(&self, ending: bool) {
        self.ending.store(ending, Ordering::Release);
    }

    /// Returns once the claim is lost.
    pub(crate) async fn lost(&self) {
        loop {
            let loss = self.loss.notified();
            if self.is_lost() {
                return;
            }
            // A renewal moves the end of the lease, so look again when it is reached.
            let _ = tokio::time::timeout_at(self.lapses_at(), loss).await;
        }
    }

    /// Confirms the claim and tells the time.
    pub(crate) async fn fencing_token(&self) -> Result<StoreTime, FencingError> {
        match self.renew().await {
            Ok(Some(at)) => Ok(at),
            Ok(None) => Err(FencingError::lost()),
            Err(err) => Err(FencingError::store(err)),
        }
    }

    /// Gives the claim another full lease; `None` when it is lost.
    pub(super) async fn renew(&self) -> Result<Option<StoreTime>, StoreError> {
        let asked = Instant::now();
        match self.context.renew(&self.lease).await? {
            Renewed::Yes { at } => {
                let confirmed = self.confirmed.lock();
                let mut confirmed = confirmed.unwrap_or_else(PoisonError::into_inner);
                *confirmed = asked.max(*confirmed);
                Ok(Some(at))
            }
            Renewed::Lost => {
                let is_known = self.lost.swap(true, Ordering::AcqRel);
                self.loss.notify_waiters();
                if !is_known && !self.is_ending() {
                    let key = self.key();
                    report!(
                        self.context, warn, Incident::about_claim(IncidentKind::LostLease, key),
                        key:%, attempt:% = self.attempt;
                        "{key} is lost while its handler runs"
                    );
                }
                Ok(None)
            }
        }
    }
}

/// The claim as a commit in a transaction of the application sees it.
#[cfg(feature = "sql")]
impl HeldClaim {
    /// A commit that completes the claim begins: its statement is about to be sent. From here on the claim is not
    /// renewed, because its row is locked and then a record.
    pub(crate) fn begin_commit(&self) -> Result<(), super::CommitRefused> {
        self.commit.begin()?;
        self.set_ending(true);
        Ok(())
    }

    /// The transaction is rolled back: the claim is what it was.
    pub(crate) fn commit_rolled_back(&self, error: &dyn fmt::Display) {
        self.set_ending(false);
        self.commit.rolled_back();
        let key = self.key();
        report!(
            self.context, warn, Incident::about_claim(IncidentKind::CommitRolledBack, key),
            key:%, error:% = error;
            "the transaction of {key} is rolled back: {error}"
        );
    }

    /// The transaction is rolled back, because the claim has another owner by now, or none.
    pub(crate) fn commit_lost(&self) {
        self.lost.store(true, Ordering::Release);
        self.loss.notify_waiters();
        self.commit_rolled_back(&"the claim is lost");
    }

    /// Record and rows are there.
    pub(crate) fn committed(&self) {
        self.commit.committed();
    }

    /// It is unknown whether the transaction is committed.
    pub(crate) fn commit_in_doubt(&self) {
        let key = self.key();
        report!(
            self.context, warn, Incident::about_claim(IncidentKind::CommitInDoubt, key),
            key:%;
            "the transaction of {key} may or may not be committed"
        );
    }

    /// The statement that completes the claim in a transaction, if its store has one.
    pub(crate) fn completion(&self) -> Option<crate::store::CompletionSql> {
        self.context.store().completion()
    }

    pub(crate) fn token(&self) -> &crate::store::OwnerToken {
        self.lease.token()
    }
}

impl fmt::Debug for HeldClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldClaim")
            .field("key", self.lease.key())
            .field("attempt", &self.attempt)
            .field("lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}

/// The wishes of a handler for its response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecordOverrides {
    pub(crate) rule: RecordRule,
    pub(crate) omit_response: bool,
    pub(crate) retention: Option<Duration>,
}

/// The rule that decides whether the response is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RecordRule {
    /// As the recording's rule says.
    #[default]
    ByRule,
    /// It is, whatever its status.
    Final,
    /// It is not, whatever its status.
    Transient,
}
