use tokio::time::Instant;

use super::{
    breach::Breach,
    call::{Late, Op},
    request::{Doing, Request},
};
use crate::store::memory::transitions::{Claim, Slot, SlotRef};

/// How many keys there are.
pub(super) const KEYS: usize = 2;

/// All that there is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// The store's clock, which everybody's runs along with.
    pub(super) now: u8,
    pub(super) keys: [Option<Slot>; KEYS],
    pub(super) requests: Vec<Request>,
    /// In order, so that one set of them is one state.
    pub(super) late: Vec<Late>,
    /// What the store loses in a failover: the key it wrote last, and what that held before.
    pub(super) last_write: Option<(usize, Option<Slot>)>,
    pub(super) has_failed_over: bool,
    /// How much may still go wrong.
    pub(super) faults_left: u8,
    pub(super) breach: Option<Breach>,
    /// What has just been seen, to show that the walk meets what it is for.
    pub(super) seen: Seen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) takeover: bool,
    pub(super) replay_after_wait: bool,
    pub(super) late_first: bool,
    pub(super) undo: bool,
    pub(super) carried_out_again: bool,
    pub(super) vacancy_filled: bool,
}

impl State {
    /// What a key holds for those who ask now.
    pub(super) fn found(&self, key: usize, now: Instant) -> Option<SlotRef<'_>> {
        match self.keys[key].as_ref()? {
            Slot::Claim(claim) => (claim.forgotten_at > now).then_some(SlotRef::Claim(claim)),
            Slot::Finished(finished) => {
                (finished.until > now).then_some(SlotRef::Finished(finished))
            }
        }
    }

    pub(super) fn claim(&self, key: usize) -> Option<&Claim> {
        match &self.keys[key] {
            Some(Slot::Claim(claim)) => Some(claim),
            _ => None,
        }
    }

    /// Writes to the store.
    pub(super) fn write(&mut self, key: usize, holding: Option<Slot>) {
        let before = std::mem::replace(&mut self.keys[key], holding);
        self.last_write = (self.faults_left > 0).then_some((key, before));
    }

    pub(super) fn is_late(&self, by: usize, op: Op) -> bool {
        self.late.iter().any(|late| late.by == by && late.op == op)
    }

    /// Whether nothing will ever follow from a request any more.
    pub(super) fn is_gone(&self, by: usize) -> bool {
        let request = &self.requests[by];
        let is_under_way = self.is_late(by, Op::Begin) || self.is_late(by, Op::Commit);
        request.doing == Doing::Over && request.job.is_none() && !is_under_way
    }

    pub(super) fn breach(&mut self, breach: Breach) {
        self.breach.get_or_insert(breach);
    }
}
