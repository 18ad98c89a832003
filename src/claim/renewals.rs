use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use hashbrown::DefaultHashBuilder;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{context::report, held_claim::HeldClaim};
use crate::{
    event::{Incident, IncidentKind},
    runtime::background,
    store::{OwnerToken, StoreErrorKind},
};

/// The longest pause between two rounds.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How many renewals are under way at once.
const AT_ONCE: usize = 256;

/// Renews the claims of handlers that run: one task for all of them, while there are any.
///
/// Once a second, or every sixth of the shortest lease where that is less, it renews what is older
/// than a third of its lease. So a claim is renewed at half of its lease at the latest, and if the
/// store hangs then, once more before it expires. Most handlers have ended by then and cost nothing
/// but their entry.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    /// Locked to add or remove an entry and to walk over all; never across an await.
    state: Mutex<State>,
    /// A lease has come that is shorter than all others.
    shorter: Notify,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<OwnerToken, Entry, DefaultHashBuilder>,
    /// The pause of the task; `None` when there is no task.
    pause: Option<Duration>,
}

#[derive(Debug)]
struct Entry {
    held_claim: Arc<HeldClaim>,
    /// When a handler counts as hung.
    until: Instant,
}

impl Renewals {
    /// Has a claim renewed for `longest` at most, until it is removed.
    fn add(self: &Arc<Self>, held_claim: &Arc<HeldClaim>, longest: Duration) {
        let token = *held_claim.lease().token();
        let pause = pause_for(held_claim.lease().duration());
        let mut state = self.lock();
        state.entries.insert(
            token,
            Entry {
                held_claim: Arc::clone(held_claim),
                until: held_claim.confirmed() + longest,
            },
        );
        match state.pause {
            None => {
                state.pause = Some(pause);
                background::spawn(run(Arc::downgrade(self)));
            }
            Some(of_all) if pause < of_all => self.shorter.notify_one(),
            Some(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews no longer what runs for too long.
    fn leave_hung(&self) {
        let now = Instant::now();
        let mut hung = Vec::new();
        self.lock().entries.retain(|_, entry| {
            let is_hung = now >= entry.until;
            if is_hung {
                hung.push(Arc::clone(&entry.held_claim));
            }
            !is_hung
        });
        // Who is told of it may end other claims, for which the lock has to be free.
        for held_claim in hung {
            let key = held_claim.key();
            report!(
                held_claim.context(), warn, Incident::about_claim(IncidentKind::Hung, key),
                key:%;
                "{key} is no longer renewed: its handler has run for too long"
            );
        }
    }

    /// What is due, and the pause until the next round; `None` when there is nothing left to renew.
    fn due(&self) -> Option<(Vec<Arc<HeldClaim>>, Duration)> {
        self.leave_hung();
        let mut state = self.lock();
        let is_lost = |entry: &Entry| entry.held_claim.store_said_lost();
        state.entries.retain(|_, entry| !is_lost(entry));
        let held_claims = || state.entries.values().map(|entry| &entry.held_claim);
        let is_old =
            |held_claim: &&Arc<HeldClaim>| held_claim.age() >= held_claim.lease().duration() / 3;
        let due = held_claims()
            .filter(is_old)
            .filter(|held_claim| !held_claim.is_ending());
        let due = due.cloned().collect();
        let shortest = held_claims()
            .map(|held_claim| held_claim.lease().duration())
            .min();
        state.pause = shortest.map(pause_for);
        Some((due, state.pause?))
    }
}

fn pause_for(lease: Duration) -> Duration {
    (lease / 6).min(LONGEST_PAUSE)
}

/// Renews until nothing is left.
async fn run(renewals: Weak<Renewals>) {
    // The first comer's claim is new: nothing is due yet.
    let Some(mut pause) = renewals.upgrade().and_then(|all| all.lock().pause) else {
        return;
    };
    loop {
        let Some(all) = renewals.upgrade() else {
            return;
        };
        let _ = timeout(pause, all.shorter.notified()).await;
        let Some((due, next)) = all.due() else {
            return;
        };
        drop(all);
        pause = next;
        round(due).await;
    }
}

/// Renews what is due, and says once for all if that fails: in an outage it fails for all.
async fn round(due: Vec<Arc<HeldClaim>>) {
    let all = due.len();
    let claims = due.first().map(|held_claim| held_claim.context().clone());
    let renewals = stream::iter(due).map(|held_claim| async move { renew(&held_claim).await });
    let failures: Vec<Failure> = renewals
        .buffer_unordered(AT_ONCE)
        .filter_map(|outcome| async { outcome.err() })
        .collect()
        .await;
    if let (Some((why, kind)), Some(claims)) = (failures.first(), claims) {
        let some = failures.len();
        report!(
            claims, warn, Incident::about_claims(IncidentKind::NotRenewed, some).caused_by(*kind),
            claims = some, error = why.as_str();
            "{some} of {all} claims are not renewed yet: {why}"
        );
    }
}

/// How a store has failed, in words and in kind.
type Failure = (String, StoreErrorKind);

async fn renew(held_claim: &HeldClaim) -> Result<(), Failure> {
    // A store that hangs must not keep the others from their turn, nor this one from another try.
    match timeout(held_claim.lease().duration() / 4, held_claim.renew()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(err)) => Err((err.to_string(), err.kind())),
        Err(_elapsed) => Err((
            "the store does not answer".to_owned(),
            StoreErrorKind::Timeout,
        )),
    }
}

/// A claim that is held, and that is renewed from the first [`renew`](Self::renew) on until this is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    held_claim: Arc<HeldClaim>,
    /// Where it is renewed.
    renewals: Option<Arc<Renewals>>,
}

impl Kept {
    pub(super) fn new(held_claim: HeldClaim) -> Self {
        Self {
            held_claim: Arc::new(held_claim),
            renewals: None,
        }
    }

    pub(super) fn held_claim(&self) -> &Arc<HeldClaim> {
        &self.held_claim
    }

    /// Has it renewed for `longest` at most.
    pub(super) fn renew(&mut self, renewals: &Arc<Renewals>, longest: Duration) {
        renewals.add(&self.held_claim, longest);
        self.renewals = Some(Arc::clone(renewals));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(renewals) = &self.renewals {
            let token = self.held_claim.lease().token();
            renewals.lock().entries.remove(token);
        }
    }
}
