use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use tokio::{sync::futures::OwnedNotified, time::Instant};

use super::{
    entry::Entry,
    entry_quota::EntryQuota,
    neighbours::{self, Prefixes},
    purge,
    shard::Shard,
    transitions::{SlotRef, Transition},
    usage::MemoryUsage,
};
use crate::store::{ClaimId, NewClaim, StoreError, StoreKey, StoreTime, StoreWarning};

/// All keys of a store, and the counts that bound them.
pub(super) struct Table {
    /// Mutexes, because every operation writes. Sharded, because one for all costs two workers
    /// 600 ns per request instead of 70.
    pub(super) shards: [Mutex<Shard>; Self::SHARDS],
    pub(super) places: EntryQuota,
    max_bytes: usize,
    pub(super) bytes: AtomicUsize,
    epoch: Instant,
    /// The wall clock at the epoch, in microseconds. Fences are written down where they outlive the
    /// process, and those of the next one have to be larger.
    epoch_micros: u64,
    /// The last time that was told, so that no two owners are told the same.
    last_told: AtomicU64,
    pub(super) purging: AtomicBool,
    prefixes: Prefixes,
    /// The next claim notes that the store is filling up.
    is_filling: AtomicBool,
}

impl Table {
    /// Enough that two workers rarely meet, and that the walk over one of them, of a million
    /// entries in all, keeps a request waiting for well under a millisecond.
    pub(super) const SHARDS: usize = 256;

    pub(super) fn new(max_bytes: usize, max_entries: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            places: EntryQuota::new(max_entries),
            max_bytes,
            bytes: AtomicUsize::new(0),
            epoch: Instant::now(),
            epoch_micros: micros(UNIX_EPOCH.elapsed().unwrap_or_default()),
            last_told: AtomicU64::new(0),
            purging: AtomicBool::new(false),
            prefixes: Prefixes::default(),
            is_filling: AtomicBool::new(false),
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

    /// Decides what becomes of a key, does it, and keeps the counts.
    pub(super) fn change<T>(
        self: &Arc<Self>,
        key: &StoreKey,
        now: Instant,
        decide: impl FnOnce(Option<SlotRef<'_>>) -> (T, Transition),
    ) -> Result<T, StoreError> {
        let changed = self.shard(key).change(key, now, &self.places, decide)?;
        if changed.added > 0 {
            self.bytes.fetch_add(changed.added, Ordering::Relaxed);
        }
        if let Some(gone) = changed.gone {
            self.uncount(&gone);
        }
        if changed.added > 0 {
            self.make_room();
        }
        if changed.is_first_due {
            purge::keep_going(self);
        }
        Ok(changed.told)
    }

    pub(super) fn uncount(&self, entry: &Entry) {
        let bytes = entry.size();
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Turns the oldest bodies into tombstones until the rest fits. Where no body is left to be given
    /// up, tombstones give up where the created things are.
    fn make_room(&self) {
        while self.bytes.load(Ordering::Relaxed) > self.max_bytes {
            let oldest = (self.shards.iter())
                .filter_map(|shard| Some((lock(shard).oldest_body()?, shard)))
                .min_by_key(|(since, _)| *since);
            let Some((since, shard)) = oldest else {
                return self.forget_locations();
            };
            let freed = lock(shard).drop_body(since);
            self.bytes.fetch_sub(freed, Ordering::Relaxed);
        }
    }

    fn forget_locations(&self) {
        for shard in &self.shards {
            if self.bytes.load(Ordering::Relaxed) <= self.max_bytes {
                return;
            }
            let freed = lock(shard).forget_locations();
            self.bytes.fetch_sub(freed, Ordering::Relaxed);
        }
    }

    /// The next change of a key and the end of its lease, while the seen claim holds it.
    pub(super) fn watch(&self, key: &StoreKey, seen: &ClaimId) -> Option<(OwnedNotified, Instant)> {
        let now = Instant::now();
        let mut shard = self.shard(key);
        match shard.get(key, now) {
            Some(Entry::Claim(watched))
                if seen.is(&watched.claim.token) && now < watched.claim.lapses_at =>
            {
                // Made under the lock: from here on no change is missed.
                Some((watched.watch(), watched.claim.lapses_at))
            }
            _ => None,
        }
    }

    /// Notes on a claim what is amiss with this store.
    pub(super) fn note_warnings(self: &Arc<Self>, claim: &NewClaim) {
        let prefix = claim.key.prefix();
        if self.prefixes.is_new(prefix) && neighbours::is_second(self, prefix) {
            claim.notes.warn(StoreWarning::SecondStore);
        }
        if self.is_filling.load(Ordering::Relaxed) && self.is_filling.swap(false, Ordering::Relaxed)
        {
            claim.notes.warn(StoreWarning::FillingUp);
        }
    }

    /// Has the next claim note that the store is filling up.
    pub(super) fn warn_of_filling(&self) {
        self.is_filling.store(true, Ordering::Relaxed);
    }

    pub(super) fn max_entries(&self) -> usize {
        self.places.in_all()
    }

    pub(super) fn usage(&self) -> MemoryUsage {
        MemoryUsage {
            entries: self.len(),
            max_entries: self.max_entries(),
            bytes: self.bytes.load(Ordering::Relaxed),
            max_bytes: self.max_bytes,
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
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
