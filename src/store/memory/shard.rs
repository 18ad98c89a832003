use std::{collections::VecDeque, mem};

use hashbrown::{
    DefaultHashBuilder, HashMap,
    hash_map::EntryRef::{Occupied, Vacant},
};
use tokio::time::Instant;

use super::{
    entry::Entry,
    entry_quota::EntryQuota,
    transitions::{SlotRef, Transition},
};
use crate::store::{Inspected, StoreError, StoreKey};

/// A part of the keys, behind one mutex. Aligned, so that it shares no cache line with the next.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    /// hashbrown's map, which finds a key once for looking at it and changing it, and clones it only
    /// where it stays. The digests only have to be mixed with what nobody knows, lest somebody
    /// choose keys that collide.
    entries: HashMap<StoreKey, Entry, DefaultHashBuilder>,
    /// EntryQuota for more entries.
    unused: usize,
    /// Nothing expires before this. A queue in the order of expiry would cost every claim its place
    /// in it, and most are released long before; this costs a comparison, and a walk now and then.
    first_due: Option<Instant>,
    /// The entries with a body, oldest first, and some that are gone.
    bodies: VecDeque<(Instant, StoreKey)>,
}

/// What became of a key.
#[derive(Debug)]
pub(super) struct Changed<T> {
    pub(super) told: T,
    /// What it held before.
    pub(super) gone: Option<Entry>,
    /// The bytes of what it holds instead, as far as they count against the store's bound.
    pub(super) added: usize,
    /// Nothing was due to expire before.
    pub(super) is_first_due: bool,
}

impl Shard {
    /// The entry of a key, unless its time has passed.
    pub(super) fn get(&mut self, key: &StoreKey, now: Instant) -> Option<&mut Entry> {
        self.entries
            .get_mut(key)
            .filter(|entry| entry.until() > now)
    }

    /// Decides by what a key holds what becomes of it, and does that. A key that is new needs a
    /// place; where there is none left, nothing is changed.
    pub(super) fn change<T>(
        &mut self,
        key: &StoreKey,
        now: Instant,
        places: &EntryQuota,
        decide: impl FnOnce(Option<SlotRef<'_>>) -> (T, Transition),
    ) -> Result<Changed<T>, StoreError> {
        let (mut due, mut body_since, mut added) = (None, None, 0);
        let mut entry_of = |holding| {
            let entry = Entry::new(holding);
            (due, body_since, added) = (Some(entry.until()), entry.body_since(), entry.size());
            entry
        };
        let (told, gone) = match self.entries.entry_ref(key) {
            Occupied(mut place) => {
                let held = place.get_mut();
                let (told, change) = decide((held.until() > now).then(|| held.found()));
                let gone = match change {
                    Transition::Keep => None,
                    Transition::Put(holding) => Some(place.insert(entry_of(holding))),
                    Transition::Extend {
                        lapses_at,
                        forgotten_at,
                    } => {
                        held.extend(lapses_at, forgotten_at);
                        None
                    }
                    Transition::Vacate => {
                        self.unused += 1;
                        Some(place.remove())
                    }
                };
                (told, gone)
            }
            Vacant(place) => {
                let (told, change) = decide(None);
                if let Transition::Put(holding) = change {
                    if self.unused == 0 {
                        self.unused = places.take()?;
                    }
                    self.unused -= 1;
                    place.insert_with_key(key.clone(), entry_of(holding));
                }
                (told, None)
            }
        };
        places.take_back(&mut self.unused);
        let is_first_due = self.first_due.is_none() && due.is_some();
        self.first_due = earlier(self.first_due, due);
        if let Some(since) = body_since {
            self.push_body(since, key.clone());
        }
        Ok(Changed {
            told,
            gone,
            added,
            is_first_due,
        })
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
    pub(super) fn expire(&mut self, now: Instant, places: &EntryQuota) -> Vec<Entry> {
        if self.entries.is_empty() {
            self.first_due = None;
        }
        if self.first_due.is_none_or(|first| first > now) {
            return Vec::new();
        }
        let mut first_due = None;
        let gone = self.entries.extract_if(|_key, entry| {
            let until = entry.until();
            if until > now {
                first_due = earlier(first_due, Some(until));
            }
            until <= now
        });
        let gone: Vec<_> = gone.map(|(_key, entry)| entry).collect();
        self.unused += gone.len();
        places.take_back(&mut self.unused);
        self.first_due = first_due;
        self.give_back();
        gone
    }

    /// Since when the oldest body is kept.
    pub(super) fn oldest_body(&mut self) -> Option<Instant> {
        while let Some((since, key)) = self.bodies.front() {
            if self.has_body(key, *since) {
                return Some(*since);
            }
            self.bodies.pop_front();
        }
        None
    }

    /// Turns the oldest body into a tombstone, if it is kept since then; tells how many bytes that
    /// made free.
    pub(super) fn drop_body(&mut self, since: Instant) -> usize {
        if self.oldest_body() != Some(since) {
            return 0;
        }
        let oldest = self.bodies.pop_front();
        let entry = oldest.and_then(|(_since, key)| self.entries.get_mut(&key));
        entry.map_or(0, Entry::drop_body)
    }

    /// Takes the locations of all tombstones; tells how many bytes that made free. A walk, because
    /// only a flood of locations that are longer than bodies leads here.
    pub(super) fn forget_locations(&mut self) -> usize {
        self.entries.values_mut().map(Entry::drop_location).sum()
    }

    /// Those that are gone are left where they stand. Once they are the majority all of them are
    /// dropped, which costs a constant per body and keeps the rest in proportion to the entries.
    fn push_body(&mut self, since: Instant, key: StoreKey) {
        if self.bodies.len() > 2 * self.entries.len() + 64 {
            let mut bodies = mem::take(&mut self.bodies);
            bodies.retain(|(since, key)| self.has_body(key, *since));
            self.bodies = bodies;
        }
        self.bodies.push_back((since, key));
    }

    fn has_body(&self, key: &StoreKey, since: Instant) -> bool {
        self.entries.get(key).and_then(Entry::body_since) == Some(since)
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

    /// Whether anything is due to expire, some time.
    pub(super) fn is_anything_due(&self) -> bool {
        self.first_due.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn reserved(&self) -> usize {
        self.entries.capacity() + self.bodies.capacity()
    }
}

/// The earlier of two moments that may not exist.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
