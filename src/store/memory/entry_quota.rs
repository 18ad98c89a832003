use std::sync::atomic::{AtomicUsize, Ordering};

use crate::store::StoreError;

/// The places that no shard has taken yet.
///
/// Shards take them by the batch and keep some that have become free. With a count that every claim
/// and every release changes, two workers would pass its cache line to and fro: 130 ns a request.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct EntryQuota {
    free: AtomicUsize,
    in_all: usize,
    /// How many more a shard takes than it needs.
    spare: usize,
}

/// Of so many places a shard takes one to spare. All of them together leave less than a hundredth
/// of a store unused, and a small store is filled to the last place.
const PLACES_PER_SPARE: usize = 256 * 256;

impl EntryQuota {
    pub(super) fn new(in_all: usize) -> Self {
        Self {
            free: AtomicUsize::new(in_all),
            in_all,
            spare: in_all / PLACES_PER_SPARE,
        }
    }

    pub(super) fn in_all(&self) -> usize {
        self.in_all
    }

    /// Takes one place at least.
    pub(super) fn take(&self) -> Result<usize, StoreError> {
        let wanted = 1 + self.spare;
        let take = |free: usize| (free > 0).then(|| free.saturating_sub(wanted));
        match (self.free).fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(free) => Ok(free.min(wanted)),
            Err(_none) => Err(StoreError::unavailable(format!(
                "the memory store may hold {} entries, and is full",
                self.in_all
            ))),
        }
    }

    /// Takes back what a shard does not need of its unused places.
    pub(super) fn take_back(&self, unused: &mut usize) {
        if *unused > 2 * self.spare {
            self.free.fetch_add(*unused - self.spare, Ordering::Relaxed);
            *unused = self.spare;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_store_gives_its_places_one_by_one() {
        let places = EntryQuota::new(2);
        assert_eq!(places.take().unwrap(), 1);
        assert_eq!(places.take().unwrap(), 1);
        let full = places.take().unwrap_err();
        assert!(full.to_string().contains("2 entries"), "{full}");
        let mut unused = 1;
        places.take_back(&mut unused);
        assert_eq!(unused, 0);
        assert_eq!(places.take().unwrap(), 1);
    }

    #[test]
    fn no_place_is_given_twice_and_none_is_lost() {
        let places = EntryQuota::new(1_000_000);
        let mut taken = 0;
        while let Ok(more) = places.take() {
            taken += more;
        }
        assert_eq!(taken, 1_000_000);
        let mut unused = 100;
        places.take_back(&mut unused);
        assert_eq!(100 - unused, places.free.load(Ordering::Relaxed));
        let kept = unused;
        places.take_back(&mut unused);
        assert_eq!(unused, kept, "a few are kept for the next claims");
    }
}
