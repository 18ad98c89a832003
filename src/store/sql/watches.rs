//! Waiting duplicates: one question for all of them, as long as there are any.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{Database, Inner, Value, on_cut_off::OnCutOff, rows::Columns};
use crate::{
    runtime::background,
    store::{ClaimId, StoreError, StoreKey},
};

/// How often is asked while a watch is young: most handlers end soon.
const SOON: Duration = Duration::from_millis(10);
/// How long a watch is young.
const YOUNG: Duration = Duration::from_millis(200);
/// How often is asked for older ones.
const LATER: Duration = Duration::from_millis(50);
/// The questions may use a fifth of one connection.
const SHARE: u32 = 4;
/// How many keys one statement asks for.
const MOST: usize = 1000;

/// The claims that somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Watches {
    state: Mutex<State>,
    /// A watch has begun.
    begun: Notify,
}

#[derive(Debug, Default)]
struct State {
    watched: HashMap<StoreKey, Vec<Watched>>,
    /// Whether a task asks.
    running: bool,
    /// When the last watch began.
    youngest: Option<Instant>,
}

/// One claim.
#[derive(Debug)]
struct Watched {
    claim: ClaimId,
    ended: watch::Sender<Option<Ended>>,
}

/// Why a watch ends.
#[derive(Clone, Debug)]
enum Ended {
    Changed,
    Failed(Arc<StoreError>),
}

impl Watches {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the watches of a key that this process has changed.
    pub(super) fn changed(&self, key: &StoreKey) {
        let ended = self.lock().watched.remove(key);
        for one in ended.into_iter().flatten() {
            one.ended.send_replace(Some(Ended::Changed));
        }
    }

    /// Begins a watch. Returns its end, and whether a task has to be started.
    fn begin(&self, key: &StoreKey, claim: &ClaimId) -> (watch::Receiver<Option<Ended>>, bool) {
        let mut state = self.lock();
        state.youngest = Some(Instant::now());
        let of_key = state.watched.entry(key.clone()).or_default();
        let receiver = match of_key.iter().find(|one| one.claim == *claim) {
            Some(one) => one.ended.subscribe(),
            None => {
                let (ended, receiver) = watch::channel(None);
                of_key.push(Watched {
                    claim: *claim,
                    ended,
                });
                receiver
            }
        };
        (receiver, !mem::replace(&mut state.running, true))
    }

    /// Returns what somebody still waits for; nothing if the task is to end.
    fn take_stock(&self) -> Vec<(StoreKey, ClaimId)> {
        let mut state = self.lock();
        state.watched.retain(|_, of_key| {
            of_key.retain(|one| !one.ended.is_closed());
            !of_key.is_empty()
        });
        state.running = !state.watched.is_empty();
        let watched = state.watched.iter();
        watched
            .flat_map(|(key, of_key)| of_key.iter().map(|one| (key.clone(), one.claim)))
            .collect()
    }

    /// Lets another task begin, where this one was cut off: by a panic of the driver, or with its runtime. Those that
    /// wait look again.
    fn cut_off(&self) {
        let mut state = self.lock();
        state.running = false;
        for one in state.watched.drain().flat_map(|(_, of_key)| of_key) {
            one.ended.send_replace(Some(Ended::Changed));
        }
    }

    /// Ends the watches of these claims.
    fn end<'a>(&self, claims: impl Iterator<Item = &'a (StoreKey, ClaimId)>, why: &Ended) {
        let mut state = self.lock();
        for (key, claim) in claims {
            let Some(of_key) = state.watched.get_mut(key) else {
                continue;
            };
            of_key.retain(|one| {
                let ends = one.claim == *claim;
                if ends {
                    one.ended.send_replace(Some(why.clone()));
                }
                !ends
            });
        }
    }

    fn is_young(&self) -> bool {
        let youngest = self.lock().youngest;
        youngest.is_some_and(|begun| begun.elapsed() < YOUNG)
    }

    /// Waits until it is time for the next question, after one that took so long.
    async fn rest(&self, took: Duration) {
        let shortest = SOON.max(took.saturating_mul(SHARE));
        sleep(shortest).await;
        if !self.is_young() {
            let _ = timeout(LATER.saturating_sub(shortest), self.begun.notified()).await;
        }
    }
}

pub(super) async fn changed<D: Database>(
    store: &Arc<Inner<D>>,
    key: &StoreKey,
    seen: &ClaimId,
) -> Result<(), StoreError> {
    let (mut ended, must_start) = store.watches.begin(key, seen);
    match must_start {
        true => background::spawn(run(Arc::clone(store))),
        false => store.watches.begun.notify_one(),
    }
    let ended = ended.wait_for(Option::is_some).await;
    match ended.as_deref() {
        Ok(Some(Ended::Failed(err))) => Err(err.to_another()),
        // One that is dropped counts as changed: who waits asks again.
        _ => Ok(()),
    }
}

async fn run<D: Database>(store: Arc<Inner<D>>) {
    let cut_off = OnCutOff::new(|| store.watches.cut_off());
    loop {
        let all = store.watches.take_stock();
        if all.is_empty() {
            return cut_off.never();
        }
        let begun = Instant::now();
        for some in all.chunks(MOST) {
            match still_held(&store, some).await {
                Ok(held) => {
                    let claims = some.iter().zip(held);
                    let gone = claims.filter(|(_, held)| !held).map(|(claim, _)| claim);
                    store.watches.end(gone, &Ended::Changed);
                }
                Err(err) => {
                    let failed = Ended::Failed(Arc::new(err));
                    store.watches.end(some.iter(), &failed);
                }
            }
        }
        store.watches.rest(begun.elapsed()).await;
    }
}

/// Returns for each claim whether it still has its key.
async fn still_held<D: Database>(
    store: &Inner<D>,
    claims: &[(StoreKey, ClaimId)],
) -> Result<Vec<bool>, StoreError> {
    let asked = claims
        .iter()
        .enumerate()
        .map(|(n, (key, claim))| json!({ "n": n, "key": key.to_text(), "token": claim.to_hex() }));
    let asked = serde_json::Value::Array(asked.collect()).to_string();
    let sql = &store.statements.look;
    let rows = store.run_reserved(sql, &[Value::Text(&asked)]).await?;
    let mut held = vec![false; claims.len()];
    for row in &rows {
        let n = Columns::new(row)
            .int()?
            .and_then(|n| usize::try_from(n).ok());
        if let Some(held) = n.and_then(|n| held.get_mut(n)) {
            *held = true;
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        NewClaim, Record, Store, Tombstone,
        sql::{SqlStore, fake::Fake},
    };

    #[tokio::test]
    async fn completion_in_this_process_ends_a_watch_that_no_question_would_end() {
        let _here = background::BackgroundHere::here();
        let store = SqlStore::<Fake>::new(Fake::default());
        let claim = NewClaim::lock(StoreKey::new("a:", [7; 32]), Duration::from_secs(60));
        let seen = ClaimId::new(claim.token);
        let mut watch = Box::pin(store.changed(&claim.key, &seen));
        let early = timeout(SOON * 3, &mut watch).await;
        assert!(early.is_err(), "the claim has its key");
        let record = Record::Tombstone(Tombstone {
            fingerprint: None,
            status: None,
            location: None,
        });
        let lease = claim.lease();
        (store.complete(&lease, &record, LATER).await).unwrap();
        (timeout(Duration::from_secs(60), watch).await)
            .unwrap()
            .unwrap();
    }
}
