use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Call, Fault};
use crate::store::{OwnerToken, StoreKey};

/// What a test has told a store to do wrong, and what it has been asked so far.
#[derive(Debug, Default)]
pub(super) struct Script {
    calls: [Mutex<Plan>; Call::ALL.len()],
    /// Each key that a claim was made for.
    keys: Mutex<HashSet<StoreKey>>,
    /// Each owner that made one since the last crash.
    owners: Mutex<HashSet<OwnerToken>>,
    crashed: Mutex<HashSet<OwnerToken>>,
}

/// The same for one kind of call.
#[derive(Debug, Default)]
struct Plan {
    made: usize,
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

impl Script {
    pub(super) fn next(&self, call: Call, fault: Fault) {
        self.plan(call).next.push_back(fault);
    }

    pub(super) fn always(&self, call: Call, fault: Fault) {
        self.plan(call).always = Some(fault);
    }

    pub(super) fn clear(&self) {
        for call in Call::ALL {
            let mut plan = self.plan(call);
            plan.next.clear();
            plan.always = None;
        }
    }

    /// Counts a call and says what becomes of it.
    pub(super) fn made(&self, call: Call) -> Option<Fault> {
        let mut plan = self.plan(call);
        plan.made += 1;
        plan.next.pop_front().or(plan.always)
    }

    pub(super) fn count(&self, call: Call) -> usize {
        self.plan(call).made
    }

    pub(super) fn saw(&self, key: &StoreKey, owner: OwnerToken) {
        locked(&self.keys).insert(key.clone());
        locked(&self.owners).insert(owner);
    }

    pub(super) fn crash(&self) {
        let owners = std::mem::take(&mut *locked(&self.owners));
        locked(&self.crashed).extend(owners);
    }

    pub(super) fn has_crashed(&self, owner: &OwnerToken) -> bool {
        locked(&self.crashed).contains(owner)
    }

    pub(super) fn keys(&self) -> Vec<StoreKey> {
        locked(&self.keys).iter().cloned().collect()
    }

    fn plan(&self, call: Call) -> MutexGuard<'_, Plan> {
        locked(&self.calls[call as usize])
    }
}

/// How often it was asked what.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, call) in Call::ALL.into_iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{call} {}", self.count(call))?;
        }
        Ok(())
    }
}

/// Nothing in here can be left half done by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
