//! The contract of `Store` and `Inspect`, read once more from their documentation.
//!
//! When exactly a store has decided is not known, only that it was between a call and its answer. So
//! all that can be the case is kept, and what a store says rules some of it out; a store breaks the
//! contract when nothing is left.

use std::time::Duration;

use actix_web_idempotency::{
    ExpiredLease,
    store::{Inspected, Record},
};

use super::{
    history::{Call, Span, Told},
    key::{Claimed, Key, Phase, phases},
    play::Pace,
    sequence::{Claim, Step, records},
};

/// What calls may lead to.
pub(super) struct Contract<'a> {
    pub(super) claims: &'a [Claim],
    records: [Record; 3],
    pace: Pace,
}

impl<'a> Contract<'a> {
    pub(super) fn new(claims: &'a [Claim], pace: Pace) -> Self {
        Self {
            claims,
            records: records(),
            pace,
        }
    }

    pub(super) fn key_of(&self, step: Step) -> usize {
        match step {
            Step::Begin(n)
            | Step::Renew(n)
            | Step::Complete(n, ..)
            | Step::Release(n)
            | Step::Watch(n) => self.claims[n].key,
            Step::LookUp(key) | Step::ForceRelease(key) | Step::Delete(key) => key,
            Step::Pass(_) => unreachable!("nobody is called"),
        }
    }

    /// All that a key may hold after a call, if the store may say what it has said.
    pub(super) fn next(&self, key: Key, call: &Call) -> Vec<Key> {
        let after = phases(key, call.at).into_iter().filter_map(|phase| {
            let unchanged = match phase {
                Phase::Vacant => Key::Vacant,
                _ => key,
            };
            self.step(phase, unchanged, call)
        });
        after.collect()
    }

    fn step(&self, phase: Phase, unchanged: Key, call: &Call) -> Option<Key> {
        let (told, at) = (&call.told, call.at);
        let own = |n: usize| match phase {
            Phase::Live(claimed) | Phase::Lapsed(claimed) if claimed.by == n => Some(claimed),
            _ => None,
        };
        match call.step {
            Step::Begin(n) => self.begin(phase, unchanged, n, told, at),
            Step::Renew(n) => match (own(n), told) {
                (Some(claimed), Told::Renewed(Some(_))) => {
                    Some(self.claimed(n, claimed.attempt, at))
                }
                (None, Told::Renewed(None)) => Some(unchanged),
                _ => None,
            },
            Step::Complete(n, record, kept) => {
                let is_done = matches!(phase, Phase::Finished { by, .. } if by == n);
                let is_free = matches!(phase, Phase::Vacant) || own(n).is_some();
                let until = at.after(self.half() * kept).blurred(self.pace.grain);
                match told {
                    Told::Held(true) if is_done => Some(unchanged),
                    Told::Held(true) if is_free => Some(Key::Finished {
                        by: n,
                        record,
                        until,
                    }),
                    Told::Held(false) if !is_done && !is_free => Some(unchanged),
                    _ => None,
                }
            }
            Step::Release(n) => match (own(n), told) {
                (Some(_), Told::Held(true)) => Some(Key::Vacant),
                (None, Told::Held(false)) => Some(unchanged),
                _ => None,
            },
            Step::LookUp(_) => self
                .may_be_found(phase, unchanged, told, at)
                .then_some(unchanged),
            Step::ForceRelease(_) => match (phase, told) {
                (Phase::Live(_) | Phase::Lapsed(_), Told::Removed(true)) => Some(Key::Vacant),
                (Phase::Vacant | Phase::Finished { .. }, Told::Removed(false)) => Some(unchanged),
                _ => None,
            },
            Step::Delete(_) => match (phase, told) {
                (Phase::Vacant, Told::Removed(false)) => Some(Key::Vacant),
                (Phase::Vacant, _) | (_, Told::Removed(false)) => None,
                (_, Told::Removed(true)) => Some(Key::Vacant),
                _ => None,
            },
            Step::Watch(_) => Some(unchanged),
            Step::Pass(_) => None,
        }
    }

    fn begin(&self, phase: Phase, unchanged: Key, n: usize, told: &Told, at: Span) -> Option<Key> {
        let claim = &self.claims[n];
        if let Told::InFlight {
            by: None,
            looks: None,
            left: None,
        } = told
        {
            // Of a lock, and to a lock, a store need not say more.
            let is_held = !matches!(phase, Phase::Vacant);
            let is_lock = match phase {
                Phase::Live(claimed) => self.claims[claimed.by].is_lock(),
                _ => false,
            };
            return (is_held && (is_lock || claim.is_lock())).then_some(unchanged);
        }
        match (phase, told) {
            (Phase::Vacant, Told::Claimed { attempt: 1 }) => Some(self.claimed(n, 1, at)),
            (Phase::Live(held) | Phase::Lapsed(held), Told::Claimed { attempt })
                if held.by == n =>
            {
                (*attempt == held.attempt).then_some(unchanged)
            }
            (Phase::Live(held), Told::InFlight { by, looks, left }) if held.by != n => {
                let is_same = self.claims[held.by].fingerprint() == claim.fingerprint();
                let is_left = match left {
                    Some(left) => is_same && is_left(*left, held.lapses, at),
                    None => !is_same,
                };
                let is_it = *by == Some(held.by) && *looks == self.claims[held.by].fingerprint();
                (is_it && is_left).then_some(unchanged)
            }
            (Phase::Lapsed(dead), told) if dead.by != n => {
                let looks_dead = self.claims[dead.by].fingerprint();
                let is_same = looks_dead == claim.fingerprint();
                let may_follow = is_same && claim.on_expired_lease == ExpiredLease::Reexecute;
                match told {
                    Told::Claimed { attempt } => (may_follow && *attempt == dead.attempt + 1)
                        .then(|| self.claimed(n, *attempt, at)),
                    Told::Lapsed { looks } => {
                        (!may_follow && *looks == looks_dead).then_some(unchanged)
                    }
                    // Where it differs a store need not find out whether the lease lasts.
                    Told::InFlight {
                        by,
                        looks,
                        left: None,
                    } => (!is_same && *by == Some(dead.by) && *looks == looks_dead)
                        .then_some(unchanged),
                    _ => None,
                }
            }
            (Phase::Finished { record, .. }, Told::Finished(found)) => {
                (*found == self.records[record]).then_some(unchanged)
            }
            _ => None,
        }
    }

    fn may_be_found(&self, phase: Phase, key: Key, told: &Told, at: Span) -> bool {
        let Told::Found(told) = told else {
            return false;
        };
        match (phase, told) {
            (Phase::Vacant, None) => true,
            (Phase::Live(held), Some(Inspected::Lock { left })) => {
                self.claims[held.by].is_lock() && is_left(*left, held.lapses, at)
            }
            (
                Phase::Live(held) | Phase::Lapsed(held),
                Some(Inspected::Claim {
                    attempt,
                    fingerprint,
                    lease_left,
                    remembered_for,
                }),
            ) => {
                let claim = &self.claims[held.by];
                let is_lease = match (phase, lease_left) {
                    (Phase::Live(_), Some(left)) => is_left(*left, held.lapses, at),
                    (Phase::Lapsed(_), None) => true,
                    _ => false,
                };
                !claim.is_lock()
                    && is_lease
                    && attempt.get() == held.attempt
                    && *fingerprint == claim.fingerprint()
                    && is_left(*remembered_for, held.forgotten, at)
            }
            (Phase::Finished { record, .. }, Some(found @ Inspected::Finished { left, .. })) => {
                let Key::Finished { until, .. } = key else {
                    return false;
                };
                let of_it = Inspected::finished(&self.records[record], 0, *left);
                *found == of_it && is_left(*left, until, at)
            }
            _ => false,
        }
    }

    fn claimed(&self, by: usize, attempt: u32, at: Span) -> Key {
        let claim = &self.claims[by];
        let lapses = at.after(self.half() * claim.lease).blurred(self.pace.grain);
        Key::Claimed(Claimed {
            by,
            attempt,
            lapses,
            forgotten: lapses.after(self.half() * claim.grace),
        })
    }

    fn half(&self) -> Duration {
        self.pace.tick / 2
    }
}

/// Whether so much can be left of a time, seen at some moment.
fn is_left(left: Duration, ends: Span, at: Span) -> bool {
    at.to + left >= ends.from && at.from + left <= ends.to
}
