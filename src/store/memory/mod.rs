//! The embedded store: sharded mutex maps, expiry by a queue per shard.

mod builder;
mod entry;
mod shard;

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::futures::OwnedNotified,
    time::{Instant, sleep, timeout_at},
};

pub use self::builder::MemoryStoreBuilder;
use self::{
    entry::{Claim, Entry, Finished},
    shard::Shard,
};
use super::{
    Begin, ClaimId, Held, Lease, NewClaim, OnLapsed, Record, Renewed, Store, StoreError, StoreKey,
    StoreTime,
};
use crate::background;

const DEFAULT_MAX_BYTES: usize = 256 * 1024 * 1024;
const DEFAULT_MAX_ENTRIES: usize = 1_000_000;
/// Enough that two workers rarely meet; few enough that a walk over all is cheap.
const SHARDS: usize = 64;
/// How often expired entries are taken away. Until then they count against the bounds, no more.
const PURGE_EVERY: Duration = Duration::from_secs(1);
/// How many entries are taken away before the shard's lock is given up for a moment.
const PURGE_AT_ONCE: usize = 256;

/// Keeps claims and records in this process.
///
/// Clones share the data, so build it once, outside of the closure that `HttpServer::new` calls
/// for each worker, and clone it in:
///
/// ```
/// use actix_idempotency::{ApiLock, MemoryStore};
/// use actix_web::{App, HttpServer};
///
/// let lock = ApiLock::new(MemoryStore::new(), |req| req.path().to_owned());
/// let server = HttpServer::new(move || App::new().wrap(lock.clone()));
/// # drop(server);
/// ```
///
/// * **Survives:** nothing. A restart forgets every key; a second process knows none of them.
/// * **Bounds:** 256 MiB of recorded answers and a million entries by default, see
///   [`builder`](Self::builder). Nothing is forgotten before its time.
/// * **Time:** the process' monotonic clock. Expired entries are taken away once a second, with
///   or without traffic.
/// * **Cost:** no call waits for anything but a mutex held for a map operation.
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    /// Mutexes, because every operation writes. Sharded, because one for all costs two workers
    /// 600 ns per request instead of 70.
    shards: [Mutex<Shard>; SHARDS],
    max_bytes: usize,
    max_entries: usize,
    bytes: AtomicUsize,
    entries: AtomicUsize,
    /// Numbers the bodies by age.
    next_age: AtomicU64,
    epoch: Instant,
    /// The last time that was told, so that no two owners are told the same.
    last_told: AtomicU64,
    purging: AtomicBool,
}

impl MemoryStore {
    /// A store with the default bounds.
    pub fn new() -> Self {
        Self::with_bounds(DEFAULT_MAX_BYTES, DEFAULT_MAX_ENTRIES)
    }

    /// A store with bounds of your own.
    ///
    /// ```
    /// use actix_idempotency::MemoryStore;
    ///
    /// let store = MemoryStore::builder().max_bytes(16 * 1024 * 1024).build()?;
    /// # Ok::<_, actix_idempotency::ConfigError>(())
    /// ```
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    fn with_bounds(max_bytes: usize, max_entries: usize) -> Self {
        Self(Arc::new(Inner {
            shards: std::array::from_fn(|_| Mutex::default()),
            max_bytes,
            max_entries,
            bytes: AtomicUsize::new(0),
            entries: AtomicUsize::new(0),
            next_age: AtomicU64::new(0),
            epoch: Instant::now(),
            last_told: AtomicU64::new(0),
            purging: AtomicBool::new(false),
        }))
    }

    /// Runs the purge while there is anything to purge.
    fn keep_purging(&self) {
        if self.0.purging.load(Ordering::Relaxed) || self.0.purging.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::downgrade(&self.0);
        background::spawn(async move {
            while purge(&inner) {
                sleep(PURGE_EVERY).await;
            }
        });
    }
}

/// Takes expired entries away; false when the purge can end.
fn purge(inner: &Weak<Inner>) -> bool {
    let Some(inner) = inner.upgrade() else {
        return false;
    };
    let now = Instant::now();
    for shard in &inner.shards {
        loop {
            let (gone, more) = lock(shard).expire(now, PURGE_AT_ONCE);
            for entry in &gone {
                inner.uncount(entry);
            }
            if !more {
                break;
            }
        }
    }
    if inner.entries.load(Ordering::Acquire) > 0 {
        return true;
    }
    inner.purging.store(false, Ordering::Release);
    // A claim between the two lines above saw a purge that was about to end.
    inner.entries.load(Ordering::Acquire) > 0 && !inner.purging.swap(true, Ordering::AcqRel)
}

impl Inner {
    fn shard(&self, key: &StoreKey) -> MutexGuard<'_, Shard> {
        let [.., last] = key.digest();
        lock(&self.shards[usize::from(*last) % SHARDS])
    }

    /// Counts one more entry, if there is room for it.
    fn count_entry(&self) -> Result<(), StoreError> {
        if self.entries.fetch_add(1, Ordering::AcqRel) < self.max_entries {
            return Ok(());
        }
        self.entries.fetch_sub(1, Ordering::AcqRel);
        Err(StoreError::unavailable(format!(
            "the memory store holds {} entries and may hold no more",
            self.max_entries
        )))
    }

    fn uncount(&self, entry: &Entry) {
        self.entries.fetch_sub(1, Ordering::AcqRel);
        self.uncount_bytes(entry);
    }

    fn uncount_bytes(&self, entry: &Entry) {
        if let Entry::Finished(finished) = entry {
            self.bytes.fetch_sub(finished.size(), Ordering::AcqRel);
        }
    }

    /// Puts an entry in place of what may be there, and keeps the counts.
    fn put(&self, shard: &mut Shard, key: &StoreKey, entry: Entry) -> Result<(), StoreError> {
        if !shard.occupies(key) {
            self.count_entry()?;
        }
        if let Entry::Finished(finished) = &entry {
            self.bytes.fetch_add(finished.size(), Ordering::AcqRel);
        }
        if let Some(old) = shard.put(key, entry) {
            self.uncount_bytes(&old);
        }
        Ok(())
    }

    /// Turns the oldest bodies into tombstones until the rest fits.
    fn make_room(&self) {
        while self.bytes.load(Ordering::Acquire) > self.max_bytes {
            let oldest = (self.shards.iter())
                .filter_map(|shard| Some((lock(shard).oldest_body()?, shard)))
                .min_by_key(|(age, _)| *age);
            let Some((age, shard)) = oldest else {
                return;
            };
            let freed = lock(shard).bury(age);
            self.bytes.fetch_sub(freed, Ordering::AcqRel);
        }
    }

    /// The next change of a key and the end of its lease, while the seen claim holds it.
    fn watch(&self, key: &StoreKey, seen: &ClaimId) -> Option<(OwnedNotified, Instant)> {
        let now = Instant::now();
        let mut shard = self.shard(key);
        let lapses_at = match shard.get(key, now) {
            Some(Entry::Claim(claim)) if seen.is(&claim.token) && now < claim.lapses_at => {
                claim.lapses_at
            }
            _ => return None,
        };
        // Made under the lock: from here on no change is missed.
        Some((shard.watch(key).notified_owned(), lapses_at))
    }

    fn time(&self) -> StoreTime {
        let now = u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
        let later_than = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = (self.last_told).fetch_update(Ordering::AcqRel, Ordering::Acquire, later_than);
        StoreTime(last.map_or(now, |last| now.max(last.saturating_add(1))))
    }
}

/// No code runs under a lock that could leave a shard half done, so a poisoned one is whole.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A moment so far away that it makes no difference is as good as one that does not exist.
fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    start + time.min(FAR)
}

impl Store for MemoryStore {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(&claim.key);
        let attempt = match shard.get(&claim.key, now) {
            None => NonZeroU32::MIN,
            Some(Entry::Finished(finished)) => {
                return Ok(Begin::Finished(finished.record.clone()));
            }
            Some(Entry::Claim(held)) if held.token == claim.token => {
                return Ok(Begin::Claimed {
                    lease: claim.lease(),
                    attempt: held.attempt,
                });
            }
            Some(Entry::Claim(held)) if now < held.lapses_at => {
                let same = held.fingerprint == claim.fingerprint;
                return Ok(Begin::InFlight {
                    by: Some(ClaimId::of(held.token)),
                    fingerprint: held.fingerprint,
                    left: same.then(|| held.lapses_at - now),
                });
            }
            Some(Entry::Claim(dead)) => {
                let same = dead.fingerprint == claim.fingerprint;
                if !same || claim.on_lapsed == OnLapsed::Report {
                    return Ok(Begin::Lapsed {
                        fingerprint: dead.fingerprint,
                    });
                }
                dead.attempt.saturating_add(1)
            }
        };
        let lapses_at = after(now, claim.lease);
        let entry = Entry::Claim(Claim {
            token: claim.token,
            fingerprint: claim.fingerprint,
            attempt,
            lapses_at,
            forgotten_at: after(lapses_at, claim.afterlife),
        });
        self.0.put(&mut shard, &claim.key, entry)?;
        drop(shard);
        self.keep_purging();
        Ok(Begin::Claimed {
            lease: claim.lease(),
            attempt,
        })
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(lease.key());
        let entry = shard.get(lease.key(), now);
        let Some(claim) = entry.and_then(|entry| entry.claim_of(lease.token())) else {
            return Ok(Renewed::Lost);
        };
        claim.lapses_at = after(now, lease.duration());
        claim.forgotten_at = after(claim.lapses_at, lease.afterlife());
        Ok(Renewed::Yes { at: self.0.time() })
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let now = Instant::now();
        let mut shard = self.0.shard(lease.key());
        match shard.get(lease.key(), now) {
            Some(Entry::Finished(finished)) if finished.by == *lease.token() => {
                return Ok(Held::Yes);
            }
            Some(Entry::Claim(claim)) if claim.token == *lease.token() => {}
            None => {}
            Some(_) => return Ok(Held::Lost),
        }
        let has_body = matches!(record, Record::Answer(_));
        let entry = Entry::Finished(Finished {
            record: record.clone(),
            by: *lease.token(),
            until: after(now, retention),
            age: has_body.then(|| self.0.next_age.fetch_add(1, Ordering::Relaxed)),
        });
        self.0.put(&mut shard, lease.key(), entry)?;
        drop(shard);
        self.0.make_room();
        self.keep_purging();
        Ok(Held::Yes)
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let mut shard = self.0.shard(lease.key());
        let entry = shard.get(lease.key(), Instant::now());
        if entry
            .and_then(|entry| entry.claim_of(lease.token()))
            .is_none()
        {
            return Ok(Held::Lost);
        }
        if let Some(old) = shard.remove(lease.key()) {
            self.0.uncount(&old);
        }
        Ok(Held::Yes)
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        while let Some((change, lapses_at)) = self.0.watch(key, seen) {
            // A renewal moves the end of the lease, so look again when it is reached.
            let _ = timeout_at(lapses_at, change).await;
        }
        Ok(())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("entries", &self.0.entries.load(Ordering::Relaxed))
            .field("bytes", &self.0.bytes.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
