use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{
    task::yield_now,
    time::{Instant, sleep},
};

use super::{
    filling::Filling,
    table::{Table, lock},
};
use crate::runtime::background;

/// How often expired entries are taken away. Until then they count against the bounds, no more.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// A walk over a million entries takes some 50 ms. Walks may use this part of a processor.
const SHARE: u32 = 20;
/// The longest rest. A walk may seem to take hours: the process can be suspended in the middle of it.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Runs the purge while there is anything to purge. Called by whoever makes the first entry of a
/// shard: the purge does not end before it has found that there is none left.
pub(super) fn keep_going(table: &Arc<Table>) {
    if table.purging.load(Ordering::SeqCst) || table.purging.swap(true, Ordering::SeqCst) {
        return;
    }
    let mut filling = Filling::new(table.max_entries());
    let table = Arc::downgrade(table);
    background::spawn(async move {
        while let Some(took) = purge(&table, &mut filling).await {
            sleep(rest_after(took)).await;
        }
    });
}

/// How long nothing is done after a walk that took so long.
fn rest_after(took: Duration) -> Duration {
    took.saturating_mul(SHARE).clamp(EVERY, LONGEST_REST)
}

/// Takes expired entries away, looks how many are left and tells how long that took; `None` when the purge
/// can end.
async fn purge(table: &Weak<Table>, filling: &mut Filling) -> Option<Duration> {
    let (mut took, mut entries) = (Duration::ZERO, 0);
    for number in 0..Table::SHARDS {
        let table = table.upgrade()?;
        let begun = Instant::now();
        let gone = {
            let mut shard = lock(&table.shards[number]);
            let gone = shard.expire(begun, &table.places);
            entries += shard.len();
            gone
        };
        for entry in &gone {
            table.uncount(entry);
        }
        took += begun.elapsed();
        if !gone.is_empty() {
            yield_now().await;
        }
    }
    let table = table.upgrade()?;
    if let Some(report) = filling.sample(entries) {
        report.log();
        table.warn_of_filling();
    }
    if is_anything_due(&table) {
        return Some(took);
    }
    table.purging.store(false, Ordering::SeqCst);
    // A claim that came between these lines may have seen a purge that was about to end. If it did
    // not, the mutex of its shard makes it see the line above.
    let goes_on = is_anything_due(&table) && !table.purging.swap(true, Ordering::SeqCst);
    goes_on.then_some(took)
}

fn is_anything_due(table: &Table) -> bool {
    (table.shards.iter()).any(|shard| lock(shard).is_anything_due())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_rests_by_its_length_within_bounds() {
        assert_eq!(rest_after(Duration::ZERO), EVERY);
        assert_eq!(rest_after(Duration::from_millis(100)), 2 * EVERY);
        assert_eq!(rest_after(Duration::from_secs(3600)), LONGEST_REST);
        assert_eq!(rest_after(Duration::MAX), LONGEST_REST);
    }
}
