use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    sync::Arc,
};

use tokio::{sync::Notify, time::Instant};

use super::entry::Entry;
use crate::store::{Inspected, StoreKey};

/// A part of the keys, behind one mutex.
#[derive(Debug, Default)]
pub(super) struct Shard {
    entries: HashMap<StoreKey, Entry>,
    /// At least one item per entry, due no later than the entry is. Items are never removed
    /// before they are due: whoever pops one looks the entry up and, if it lives longer by now,
    /// puts the item back. A renewal then costs nothing here.
    due: BinaryHeap<Reverse<(Instant, StoreKey)>>,
    /// The entries with a body, oldest first.
    bodies: BTreeMap<u64, StoreKey>,
    /// Who waits for a key to change.
    watchers: HashMap<StoreKey, Arc<Notify>>,
}

impl Shard {
    /// The entry of a key, unless its time has passed.
    pub(super) fn get(&mut self, key: &StoreKey, now: Instant) -> Option<&mut Entry> {
        self.entries
            .get_mut(key)
            .filter(|entry| entry.until() > now)
    }

    /// Whether the key has an entry at all, passed or not: one that counts as such.
    pub(super) fn occupies(&self, key: &StoreKey) -> bool {
        self.entries.contains_key(key)
    }

    /// Puts an entry in place and returns what was there.
    pub(super) fn put(&mut self, key: &StoreKey, entry: Entry) -> Option<Entry> {
        let until = entry.until();
        if let Entry::Finished(finished) = &entry
            && let Some(age) = finished.age
        {
            self.bodies.insert(age, key.clone());
        }
        let old = self.entries.insert(key.clone(), entry);
        if old.as_ref().is_none_or(|old| until < old.until()) {
            self.push_due(until, key.clone());
        }
        if let Some(old) = &old {
            self.forget_body(old);
        }
        self.wake(key);
        old
    }

    /// Takes an entry away.
    pub(super) fn remove(&mut self, key: &StoreKey) -> Option<Entry> {
        let old = self.entries.remove(key)?;
        self.forget_body(&old);
        self.wake(key);
        Some(old)
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

    /// Takes away what was due by `now`, at most `most` items; tells what it was, and whether
    /// there may be more.
    pub(super) fn expire(&mut self, now: Instant, most: usize) -> (Vec<Entry>, bool) {
        let mut gone = Vec::new();
        for _ in 0..most {
            match self.due.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                _ => {
                    self.give_back();
                    return (gone, false);
                }
            }
            let Some(Reverse((_, key))) = self.due.pop() else {
                break;
            };
            match self.entries.get(&key).map(Entry::until) {
                Some(until) if until > now => self.due.push(Reverse((until, key))),
                Some(_) => gone.extend(self.remove(&key)),
                None => {}
            }
        }
        (gone, true)
    }

    /// The age of the oldest body.
    pub(super) fn oldest_body(&self) -> Option<u64> {
        self.bodies.keys().next().copied()
    }

    /// Turns the body of this age into a tombstone; tells how many bytes that made free.
    pub(super) fn bury(&mut self, age: u64) -> usize {
        let key = self.bodies.remove(&age);
        match key.and_then(|key| self.entries.get_mut(&key)) {
            Some(Entry::Finished(finished)) => finished.bury(),
            _ => 0,
        }
    }

    /// What is notified when the key changes.
    pub(super) fn watch(&mut self, key: &StoreKey) -> Arc<Notify> {
        self.watchers.entry(key.clone()).or_default().clone()
    }

    fn wake(&mut self, key: &StoreKey) {
        if let Some(watchers) = self.watchers.remove(key) {
            watchers.notify_waiters();
        }
    }

    fn forget_body(&mut self, entry: &Entry) {
        if let Entry::Finished(finished) = entry
            && let Some(age) = finished.age
        {
            self.bodies.remove(&age);
        }
    }

    /// Released keys leave their item behind. Once those are the majority the heap is built
    /// anew, which costs a constant per release and keeps it in proportion to the entries.
    fn push_due(&mut self, at: Instant, key: StoreKey) {
        if self.due.len() > 2 * self.entries.len() + 64 {
            let entries = self.entries.iter();
            self.due = entries
                .map(|(key, entry)| Reverse((entry.until(), key.clone())))
                .collect();
        }
        self.due.push(Reverse((at, key)));
    }

    /// Returns memory to the allocator once most of it is unused.
    fn give_back(&mut self) {
        let wanted = 2 * self.entries.len() + 64;
        if self.entries.capacity() > 2 * wanted {
            self.entries.shrink_to(wanted);
            self.due.shrink_to(wanted);
            self.watchers.shrink_to_fit();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn reserved(&self) -> usize {
        self.entries.capacity() + self.due.capacity()
    }
}
