use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};

use super::table::{Table, lock};
use crate::background;

/// How often expired entries are taken away. Until then they count against the bounds, no more.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// A walk over a million entries takes some 50 ms. Walks may use this part of a processor.
const SHARE: u32 = 20;

/// Runs the purge while there is anything to purge.
pub(super) fn keep_going(table: &Arc<Table>) {
    if table.purging.load(Ordering::SeqCst) || table.purging.swap(true, Ordering::SeqCst) {
        return;
    }
    let table = Arc::downgrade(table);
    background::spawn(async move {
        while let Some(took) = purge(&table).await {
            sleep(EVERY.max(took * SHARE)).await;
        }
    });
}

/// Takes expired entries away and tells how long that took; `None` when the purge can end.
async fn purge(table: &Weak<Table>) -> Option<Duration> {
    let mut took = Duration::ZERO;
    for number in 0..Table::SHARDS {
        let table = table.upgrade()?;
        let begun = Instant::now();
        let gone = lock(&table.shards[number]).expire(begun);
        for entry in &gone {
            table.uncount(entry);
        }
        took += begun.elapsed();
        if !gone.is_empty() {
            yield_now().await;
        }
    }
    let table = table.upgrade()?;
    if table.entries.load(Ordering::SeqCst) > 0 {
        return Some(took);
    }
    table.purging.store(false, Ordering::SeqCst);
    // A claim that came between these two lines has seen a purge that was about to end. All of
    // this is sequentially consistent: with less, each side could miss what the other wrote.
    let goes_on =
        table.entries.load(Ordering::SeqCst) > 0 && !table.purging.swap(true, Ordering::SeqCst);
    goes_on.then_some(took)
}
