use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use tokio::{sync::futures::OwnedNotified, time::Instant};

use super::{entry::Entry, shard::Shard};
use crate::store::{ClaimId, StoreError, StoreKey, StoreTime};

/// All keys of a store, and the counts that bound them.
pub(super) struct Table {
    /// Mutexes, because every operation writes. Sharded, because one for all costs two workers
    /// 600 ns per request instead of 70.
    pub(super) shards: [Mutex<Shard>; Self::SHARDS],
    max_bytes: usize,
    max_entries: usize,
    pub(super) bytes: AtomicUsize,
    pub(super) entries: AtomicUsize,
    /// Numbers the bodies by age.
    pub(super) next_age: AtomicU64,
    epoch: Instant,
    /// The wall clock at the epoch, in microseconds. Fences are written down where they outlive the
    /// process, and those of the next one have to be larger.
    epoch_micros: u64,
    /// The last time that was told, so that no two owners are told the same.
    last_told: AtomicU64,
    pub(super) purging: AtomicBool,
}

impl Table {
    /// Enough that two workers rarely meet, and that the walk over one of them, of a million
    /// entries in all, keeps a request waiting for well under a millisecond.
    pub(super) const SHARDS: usize = 256;

    pub(super) fn new(max_bytes: usize, max_entries: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            max_bytes,
            max_entries,
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            next_age: AtomicU64::new(0),
            epoch: Instant::now(),
            epoch_micros: micros(UNIX_EPOCH.elapsed().unwrap_or_default()),
            last_told: AtomicU64::new(0),
            purging: AtomicBool::new(false),
        }
    }

    pub(super) fn shard(&self, key: &StoreKey) -> MutexGuard<'_, Shard> {
        lock(&self.shards[Self::shard_of(key)])
    }

    /// In which shard a key is.
    pub(super) fn shard_of(key: &StoreKey) -> usize {
        let [.., last] = key.digest();
        usize::from(*last) % Self::SHARDS
    }

    /// Counts one more entry, if there is room for it.
    fn count_entry(&self) -> Result<(), StoreError> {
        // In one order with the purge, which decides by this count whether it can end.
        if self.entries.fetch_add(1, Ordering::SeqCst) < self.max_entries {
            return Ok(());
        }
        self.entries.fetch_sub(1, Ordering::AcqRel);
        Err(StoreError::unavailable(format!(
            "the memory store holds {} entries and may hold no more",
            self.max_entries
        )))
    }

    /// Takes an entry away, and keeps the counts; tells whether there was one.
    pub(super) fn remove(&self, shard: &mut Shard, key: &StoreKey) -> bool {
        let old = shard.remove(key);
        if let Some(old) = &old {
            self.uncount(old);
        }
        old.is_some()
    }

    pub(super) fn uncount(&self, entry: &Entry) {
        self.entries.fetch_sub(1, Ordering::AcqRel);
        self.uncount_bytes(entry);
    }

    fn uncount_bytes(&self, entry: &Entry) {
        let bytes = entry.size();
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
    }

    /// Puts an entry in place of what may be there, and keeps the counts.
    pub(super) fn put(
        &self,
        shard: &mut Shard,
        key: &StoreKey,
        entry: Entry,
    ) -> Result<(), StoreError> {
        let bytes = entry.size();
        let old = shard.put(key, entry, || self.count_entry())?;
        if bytes > 0 {
            self.bytes.fetch_add(bytes, Ordering::AcqRel);
        }
        if let Some(old) = old {
            self.uncount_bytes(&old);
        }
        Ok(())
    }

    /// Turns the oldest bodies into tombstones until the rest fits. Where no body is left to be given
    /// up, tombstones give up where the created things are.
    pub(super) fn make_room(&self) {
        while self.bytes.load(Ordering::Acquire) > self.max_bytes {
            let oldest = (self.shards.iter())
                .filter_map(|shard| Some((lock(shard).oldest_body()?, shard)))
                .min_by_key(|(age, _)| *age);
            let Some((age, shard)) = oldest else {
                return self.forget_locations();
            };
            let freed = lock(shard).bury(age);
            self.bytes.fetch_sub(freed, Ordering::AcqRel);
        }
    }

    fn forget_locations(&self) {
        for shard in &self.shards {
            if self.bytes.load(Ordering::Acquire) <= self.max_bytes {
                return;
            }
            let freed = lock(shard).forget_locations();
            self.bytes.fetch_sub(freed, Ordering::AcqRel);
        }
    }

    /// The next change of a key and the end of its lease, while the seen claim holds it.
    pub(super) fn watch(&self, key: &StoreKey, seen: &ClaimId) -> Option<(OwnedNotified, Instant)> {
        let now = Instant::now();
        let mut shard = self.shard(key);
        match shard.get(key, now) {
            Some(Entry::Claim(claim)) if seen.is(&claim.token) && now < claim.lapses_at => {
                // Made under the lock: from here on no change is missed.
                Some((claim.watch(), claim.lapses_at))
            }
            _ => None,
        }
    }

    pub(super) fn time(&self) -> StoreTime {
        let now = self
            .epoch_micros
            .saturating_add(micros(self.epoch.elapsed()));
        let later_than = |last: u64| now.max(last.saturating_add(1));
        let told = (self.last_told).fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
            Some(later_than(last))
        });
        let (Ok(last) | Err(last)) = told;
        StoreTime(later_than(last))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// No code runs under a lock that could leave a shard half done, so a poisoned one is whole.
pub(super) fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
