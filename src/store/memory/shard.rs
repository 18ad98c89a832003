use std::{
    collections::{
        HashMap, VecDeque,
        hash_map::Entry::{Occupied, Vacant},
    },
    mem,
};

use foldhash::fast::RandomState;
use tokio::time::Instant;

use super::entry::Entry;
use crate::store::{Inspected, StoreError, StoreKey};

/// A part of the keys, behind one mutex.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// A key is hashed several times a request; its digest only has to be mixed with what nobody
    /// knows, lest somebody choose keys that collide.
    entries: HashMap<StoreKey, Entry, RandomState>,
    /// Nothing expires before this. A queue in the order of expiry would cost every claim its place
    /// in it, and most are released long before; this costs a comparison, and a walk now and then.
    first_due: Option<Instant>,
    /// The entries with a body by age, oldest first, and some that are gone.
    bodies: VecDeque<(u64, StoreKey)>,
}

impl Shard {
    /// The entry of a key, unless its time has passed.
    pub(super) fn get(&mut self, key: &StoreKey, now: Instant) -> Option<&mut Entry> {
        self.entries
            .get_mut(key)
            .filter(|entry| entry.until() > now)
    }

    /// Puts an entry in place and returns what was there. A key that has none needs a place first.
    pub(super) fn put(
        &mut self,
        key: &StoreKey,
        entry: Entry,
        take_place: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Option<Entry>, StoreError> {
        let (until, age) = (entry.until(), entry.age());
        let old = match self.entries.entry(key.clone()) {
            Occupied(mut place) => Some(place.insert(entry)),
            Vacant(place) => {
                take_place()?;
                place.insert(entry);
                None
            }
        };
        self.first_due = Some(self.first_due.map_or(until, |first| first.min(until)));
        if let Some(age) = age {
            self.push_body(age, key.clone());
        }
        Ok(old)
    }

    /// Takes an entry away.
    pub(super) fn remove(&mut self, key: &StoreKey) -> Option<Entry> {
        self.entries.remove(key)
    }

    /// The first `most` entries in the order of their keys, of those that begin with `prefix` and
    /// stand behind `behind`. Looks at every entry: an order that is kept would cost every claim.
    pub(super) fn list(
        &self,
        prefix: &str,
        behind: Option<&StoreKey>,
        most: usize,
        now: Instant,
    ) -> Vec<(StoreKey, Inspected)> {
        let mut found: Vec<_> = (self.entries.iter())
            .filter(|(key, entry)| {
                entry.until() > now
                    && behind.is_none_or(|behind| *key > behind)
                    && key.begins_with(prefix)
            })
            .collect();
        if found.len() > most {
            found.select_nth_unstable_by_key(most, |(key, _)| *key);
            found.truncate(most);
        }
        found.sort_unstable_by_key(|(key, _)| *key);
        (found.into_iter())
            .map(|(key, entry)| (key.clone(), entry.inspected(now)))
            .collect()
    }

    /// Takes away what was due by `now`, by a walk over all entries if there may be any.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Entry> {
        if self.first_due.is_none_or(|first| first > now) {
            return Vec::new();
        }
        let mut first_due = None;
        let gone = self.entries.extract_if(|_key, entry| {
            let until = entry.until();
            if until > now {
                first_due = Some(first_due.map_or(until, |first: Instant| first.min(until)));
            }
            until <= now
        });
        let gone = gone.map(|(_key, entry)| entry).collect();
        self.first_due = first_due;
        self.give_back();
        gone
    }

    /// The age of the oldest body.
    pub(super) fn oldest_body(&mut self) -> Option<u64> {
        while let Some((age, key)) = self.bodies.front() {
            if self.has_body(key, *age) {
                return Some(*age);
            }
            self.bodies.pop_front();
        }
        None
    }

    /// Turns the oldest body into a tombstone, if it is of this age; tells how many bytes that made
    /// free.
    pub(super) fn bury(&mut self, age: u64) -> usize {
        if self.oldest_body() != Some(age) {
            return 0;
        }
        let oldest = self.bodies.pop_front();
        match oldest.and_then(|(_age, key)| self.entries.get_mut(&key)) {
            Some(Entry::Finished(finished)) => finished.bury(),
            Some(Entry::Claim(_)) | None => 0,
        }
    }

    /// Takes the locations of all tombstones; tells how many bytes that made free. A walk, because
    /// only a flood of locations that are longer than bodies leads here.
    pub(super) fn forget_locations(&mut self) -> usize {
        let finished = self.entries.values_mut().filter_map(|entry| match entry {
            Entry::Finished(finished) => Some(finished),
            Entry::Claim(_) => None,
        });
        finished.map(|finished| finished.forget_location()).sum()
    }

    /// Those that are gone are left where they stand. Once they are the majority all of them are
    /// dropped, which costs a constant per body and keeps the rest in proportion to the entries.
    fn push_body(&mut self, age: u64, key: StoreKey) {
        if self.bodies.len() > 2 * self.entries.len() + 64 {
            let mut bodies = mem::take(&mut self.bodies);
            bodies.retain(|(age, key)| self.has_body(key, *age));
            self.bodies = bodies;
        }
        self.bodies.push_back((age, key));
    }

    fn has_body(&self, key: &StoreKey, age: u64) -> bool {
        self.entries.get(key).and_then(Entry::age) == Some(age)
    }

    /// Returns memory to the allocator once most of it is unused.
    fn give_back(&mut self) {
        let wanted = 2 * self.entries.len() + 16;
        if self.entries.capacity() > 2 * wanted {
            self.entries.shrink_to(wanted);
        }
        if self.entries.is_empty() {
            self.bodies = VecDeque::new();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn reserved(&self) -> usize {
        self.entries.capacity() + self.bodies.capacity()
    }
}
