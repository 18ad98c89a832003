//! The removal of rows whose keys are forgotten.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{Database, Inner, SqlStore, Value, rows::Columns};
use crate::{
    runtime::{background, log},
    store::StoreError,
};

/// How often rows are purged while there are new claims.
const EVERY: Duration = Duration::from_secs(60);
/// How many rows one statement looks at. Their locks are held for some 10 ms.
const MOST: usize = 1000;
/// The rest after a step, in times of what it took: requests go first.
const SHARE: u32 = 4;

/// When the next purge is due.
#[derive(Debug)]
pub(super) struct PurgeSchedule(Mutex<Instant>);

impl PurgeSchedule {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Instant::now() + a_part_of(EVERY)))
    }

    /// Returns whether it is time, once.
    fn is_due(&self) -> bool {
        // Who finds it locked leaves it to another.
        let Ok(mut due) = self.0.try_lock() else {
            return false;
        };
        let now = Instant::now();
        let is_due = now >= *due;
        if is_due {
            *due = now + EVERY / 2 + a_part_of(EVERY);
        }
        is_due
    }
}

/// A random part, so that processes that start together do not purge together.
fn a_part_of(time: Duration) -> Duration {
    time.mul_f64(rand::random::<f64>())
}

/// Purges in the background if it is time. Called for each new claim: without any, nothing grows.
pub(super) fn if_due<D: Database>(store: &Arc<Inner<D>>) {
    if store.purges.is_due() {
        let store = Arc::clone(store);
        background::spawn(async move {
            if let Err(err) = purge(&store).await {
                let table = &store.table;
                log::warn!(error:% = err; "cannot purge the table {table}: {err}");
            }
        });
    }
}

async fn purge<D: Database>(store: &Inner<D>) -> Result<u64, StoreError> {
    let mut removed = 0;
    loop {
        let begun = Instant::now();
        let sql = &store.statements.purge;
        let rows = store.run_reserved(sql, &[Value::Int(MOST as i64)]).await?;
        for row in &rows {
            removed += u64::from(Columns::new(row).int()? == Some(1));
        }
        if rows.len() < MOST {
            return Ok(removed);
        }
        sleep(begun.elapsed().saturating_mul(SHARE)).await;
    }
}

impl<D: Database> SqlStore<D> {
    /// Removes the rows of all keys that are forgotten, and returns how many there were. Nothing depends on it: a
    /// row that is not removed yet counts as vacant.
    ///
    /// The store does so itself, once a minute while there are new claims. This is for a program that does it at
    /// quiet hours, and for tests. It removes a thousand rows at a time, skips rows that are in use, and rests
    /// between two steps; so a million takes minutes, and requests go on meanwhile.
    ///
    /// # Errors
    ///
    /// When the database cannot be asked, or refuses. What is removed by then stays removed.
    pub async fn purge(&self) -> Result<u64, StoreError> {
        purge(&self.0).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewClaim, Store, StoreKey, sql::fake::Fake};

    #[tokio::test]
    async fn new_claims_begin_a_purge_when_it_is_due_and_only_then() {
        let _here = background::BackgroundHere::here();
        let store = SqlStore::<Fake>::new(Fake::default());
        let claim = async || {
            let key = StoreKey::new("a:", rand::random());
            let claim = NewClaim::lock(key, EVERY);
            store.begin(&claim).await.unwrap();
            // The background is on this thread.
            tokio::task::yield_now().await;
            store.database().purges()
        };
        *store.0.purges.0.lock().unwrap() = Instant::now() + EVERY;
        assert_eq!(claim().await, 0, "it is not due yet");
        *store.0.purges.0.lock().unwrap() = Instant::now();
        assert_eq!(claim().await, 1);
        assert_eq!(
            claim().await,
            1,
            "the next one is due in half a minute or more"
        );
    }
}
