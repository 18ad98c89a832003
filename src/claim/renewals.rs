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

use super::{context::report, tenure::Tenure};
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
/// store hangs then, once more before it lapses. Most handlers have ended by then and cost nothing
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
    tenure: Arc<Tenure>,
    /// When a handler counts as hung.
    until: Instant,
}

impl Renewals {
    /// Has a claim renewed for `longest` at most, until it is removed.
    fn add(self: &Arc<Self>, tenure: &Arc<Tenure>, longest: Duration) {
        let token = *tenure.lease().token();
        let pause = pause_for(tenure.lease().duration());
        let mut state = self.lock();
        state.entries.insert(
            token,
            Entry {
                tenure: Arc::clone(tenure),
                until: tenure.confirmed() + longest,
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
                hung.push(Arc::clone(&entry.tenure));
            }
            !is_hung
        });
        // Who is told of it may end other claims, for which the lock has to be free.
        for tenure in hung {
            let key = tenure.key();
            report!(
                tenure.context(), warn, Incident::of(IncidentKind::Hung, key),
                key:%;
                "{key} is not renewed any longer: its handler has run for too long"
            );
        }
    }

    /// What is due, and the pause until the next round; `None` when there is nothing left to renew.
    fn due(&self) -> Option<(Vec<Arc<Tenure>>, Duration)> {
        self.leave_hung();
        let mut state = self.lock();
        let is_lost = |entry: &Entry| entry.tenure.store_said_lost();
        state.entries.retain(|_, entry| !is_lost(entry));
        let tenures = || state.entries.values().map(|entry| &entry.tenure);
        let is_old = |tenure: &&Arc<Tenure>| tenure.age() >= tenure.lease().duration() / 3;
        let due = tenures()
            .filter(is_old)
            .filter(|tenure| !tenure.is_ending());
        let due = due.cloned().collect();
        let shortest = tenures().map(|tenure| tenure.lease().duration()).min();
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
async fn round(due: Vec<Arc<Tenure>>) {
    let all = due.len();
    let claims = due.first().map(|tenure| tenure.context().clone());
    let renewals = stream::iter(due).map(|tenure| async move { renew(&tenure).await });
    let failures: Vec<Failure> = renewals
        .buffer_unordered(AT_ONCE)
        .filter_map(|outcome| async { outcome.err() })
        .collect()
        .await;
    if let (Some((why, kind)), Some(claims)) = (failures.first(), claims) {
        let some = failures.len();
        report!(
            claims, warn, Incident::of_many(IncidentKind::NotRenewed, some).because(*kind),
            claims = some, error = why.as_str();
            "{some} of {all} claims are not renewed yet: {why}"
        );
    }
}

/// How a store has failed, in words and in kind.
type Failure = (String, StoreErrorKind);

async fn renew(tenure: &Tenure) -> Result<(), Failure> {
    // A store that hangs must not keep the others from their turn, nor this one from another try.
    match timeout(tenure.lease().duration() / 4, tenure.renew()).await {
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
    tenure: Arc<Tenure>,
    /// Where it is renewed.
    renewals: Option<Arc<Renewals>>,
}

impl Kept {
    pub(super) fn new(tenure: Tenure) -> Self {
        Self {
            tenure: Arc::new(tenure),
            renewals: None,
        }
    }

    pub(super) fn tenure(&self) -> &Arc<Tenure> {
        &self.tenure
    }

    /// Has it renewed for `longest` at most.
    pub(super) fn renew(&mut self, renewals: &Arc<Renewals>, longest: Duration) {
        renewals.add(&self.tenure, longest);
        self.renewals = Some(Arc::clone(renewals));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(renewals) = &self.renewals {
            let token = self.tenure.lease().token();
            renewals.lock().entries.remove(token);
        }
    }
}
