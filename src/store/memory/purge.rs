use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::table::{Table, lock};
use crate::background;

/// How often expired entries are taken away. Until then they count against the bounds, no more.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// How many entries are taken away before the shard's lock is given up for a moment.
const AT_ONCE: usize = 256;

/// Runs the purge while there is anything to purge.
pub(super) fn keep_going(table: &Arc<Table>) {
    if table.purging.load(Ordering::SeqCst) || table.purging.swap(true, Ordering::SeqCst) {
        return;
    }
    let table = Arc::downgrade(table);
    background::spawn(async move {
        while purge(&table) {
            sleep(EVERY).await;
        }
    });
}

/// Takes expired entries away; false when the purge can end.
fn purge(table: &Weak<Table>) -> bool {
    let Some(table) = table.upgrade() else {
        return false;
    };
    let now = Instant::now();
    for shard in &table.shards {
        loop {
            let (gone, more) = lock(shard).expire(now, AT_ONCE);
            for entry in &gone {
                table.uncount(entry);
            }
            if !more {
                break;
            }
        }
    }
    if table.entries.load(Ordering::SeqCst) > 0 {
        return true;
    }
    table.purging.store(false, Ordering::SeqCst);
    // A claim that came between these two lines has seen a purge that was about to end. All of
    // this is sequentially consistent: with less, each side could miss what the other wrote.
    table.entries.load(Ordering::SeqCst) > 0 && !table.purging.swap(true, Ordering::SeqCst)
}
