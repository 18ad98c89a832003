use std::num::NonZeroUsize;

use tokio::{task::yield_now, time::Instant};

use super::{
    MemoryStore,
    table::{Table, lock},
    transitions::{SlotRef, Transition},
};
use crate::store::{Cursor, Inspect, Inspected, Page, StoreError, StoreKey};

/// How many entries are copied at most while a shard is locked.
const MOST: usize = 1000;

/// A cursor is the last key of the page before: the walk goes by shards, and within a shard in the
/// order of the keys, so it needs nothing else and meets no key twice.
impl Inspect for MemoryStore {
    async fn look_up(&self, key: &StoreKey) -> Result<Option<Inspected>, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(key);
        Ok(shard.get(key, now).map(|entry| entry.inspected(now)))
    }

    async fn list(
        &self,
        prefix: &str,
        from: &Cursor,
        most: NonZeroUsize,
    ) -> Result<Page, StoreError> {
        let most = most.get().min(MOST);
        let mut behind = match from.is_start() {
            true => None,
            false => Some(StoreKey::parse(from.as_str()).ok_or_else(not_a_cursor)?),
        };
        let first = behind.as_ref().map_or(0, Table::shard_of);
        let mut entries = Vec::new();
        for shard in &self.0.shards[first..] {
            let room = most - entries.len();
            let found = lock(shard).list(prefix, behind.as_ref(), room, Instant::now());
            entries.extend(found);
            if entries.len() == most {
                let next = entries.last().map(|(key, _)| Cursor::new(key.to_string()));
                return Ok(Page { entries, next });
            }
            behind = None;
            // A walk over a full store takes milliseconds, which the requests need not wait for.
            yield_now().await;
        }
        let next = None;
        Ok(Page { entries, next })
    }

    async fn force_release(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.0.change(key, Instant::now(), |found| match found {
            Some(SlotRef::Claim(_)) => (true, Transition::Vacate),
            Some(SlotRef::Finished(_)) | None => (false, Transition::Keep),
        })
    }

    async fn delete(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.0.change(key, Instant::now(), |found| match found {
            Some(_) => (true, Transition::Vacate),
            None => (false, Transition::Keep),
        })
    }
}

fn not_a_cursor() -> StoreError {
    StoreError::unavailable("the cursor is not one that a memory store has given")
}
