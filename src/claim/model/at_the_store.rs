use super::{
    breach::Breach,
    call::{Op, StoreReply},
    mutant::Mutant,
    rules::{LEASE, RETENTION, number_of, owner_of, record_of},
    step::Step,
};
use crate::{
    claim::{ClaimOutcome, meaning},
    store::{
        Begin, Held, NewClaim, Record,
        memory::transitions::{self, Claim, Slot, SlotRef, Transition},
    },
};

/// What happens at the store.
impl Step<'_> {
    /// The store does what was asked, by the same decisions as the embedded one.
    pub(super) fn execute(&mut self, by: usize, token: u16, op: Op) -> StoreReply {
        let now = self.rules.instant(self.state.now);
        let work = self.request(by).work;
        let claim = self.rules.new_claim(work, token);
        let lease = claim.lease();
        let found = self.state.found(work.key, now);
        let is_vacant = found.is_none();
        // A repeated claim holds from its first time on.
        let repeated = match found {
            Some(SlotRef::Claim(held)) if held.token == claim.token => Some(held.lapses_at),
            _ => None,
        };
        let since = repeated.map(|lapses_at| self.rules.tick(lapses_at) - LEASE);
        match op {
            Op::Begin => {
                let (begin, change) = match self.rules.has(Mutant::NeverTakenOver) {
                    true => transitions::begin(found, &claim, self.rules.began),
                    false => transitions::begin(found, &claim, now),
                };
                if self.rules.has(Mutant::ClaimInTwoSteps) && matches!(begin, Begin::Claimed { .. })
                {
                    return StoreReply::Vacant;
                }
                let reply = self.reply(begin, &claim, is_vacant, since);
                self.check_reply(by, reply);
                self.change(by, work.key, change);
                reply
            }
            Op::Put => {
                let (_, change) = transitions::begin(None, &claim, now);
                self.change(by, work.key, change);
                let at = self.state.now;
                StoreReply::Claimed { at }
            }
            Op::Complete => {
                let record = record_of(claim.fingerprint, token);
                let found = found.filter(|_| !self.rules.has(Mutant::CompletionOfAnything));
                let (held, change) = transitions::complete(found, &lease, &record, RETENTION, now);
                if held == Held::Yes {
                    self.state.seen.vacancy_filled |= is_vacant;
                    // What is recorded in another way than by a commit has no rows.
                    let has_all = !self.rules.commits;
                    self.note(by, |run| run.is_recorded |= has_all);
                } else {
                    self.state.seen.late_first = true;
                }
                self.change(by, work.key, change);
                StoreReply::Held(held == Held::Yes)
            }
            Op::Commit => {
                let is_own =
                    matches!(found, Some(SlotRef::Claim(held)) if held.token == claim.token);
                let overwrites = self.rules.has(Mutant::CommitOfAnything) && !is_vacant;
                if !is_own && !overwrites {
                    return StoreReply::Held(false);
                }
                let others = self.state.requests.iter().enumerate();
                let mut others = others.filter(|(other, it)| *other != by && it.work == work);
                let is_second = others.any(|(_, it)| it.run.is_some_and(|run| run.is_recorded));
                if is_second && !self.state.has_failed_over {
                    self.state.breach(Breach::CommittedTwice);
                }
                let record = record_of(claim.fingerprint, token);
                let (_, change) = transitions::complete(None, &lease, &record, RETENTION, now);
                self.note(by, |run| run.is_recorded = true);
                self.change(by, work.key, change);
                StoreReply::Held(true)
            }
            Op::Release => {
                let is_record = matches!(found, Some(SlotRef::Finished(_)));
                let vacates = self.rules.has(Mutant::ReleaseOfAnything) && !is_vacant
                    || self.rules.has(Mutant::ReleaseOfRecord) && is_record;
                let (held, change) = match vacates {
                    true => (Held::Yes, Transition::Vacate),
                    false => transitions::release(found, &lease),
                };
                self.change(by, work.key, change);
                StoreReply::Held(held == Held::Yes)
            }
        }
    }

    fn reply(
        &mut self,
        begin: Begin,
        claim: &NewClaim,
        is_vacant: bool,
        since: Option<u8>,
    ) -> StoreReply {
        if let Begin::Claimed { .. } = begin {
            self.state.seen.takeover |= !is_vacant && since.is_none();
            let at = since.unwrap_or(self.state.now);
            return StoreReply::Claimed { at };
        }
        let begun = match (begin, self.rules.has(Mutant::FingerprintIgnored)) {
            (Begin::Finished(record), true) => ClaimOutcome::Finished(record),
            (begin, _) => meaning(begin, claim),
        };
        match begun {
            ClaimOutcome::Finished(Record::Response(answer)) => StoreReply::Finished(answer.status),
            ClaimOutcome::InFlight { by, .. } => StoreReply::InFlight(by),
            ClaimOutcome::Mismatch | ClaimOutcome::Expired => StoreReply::Refused,
            other => unreachable!("{other:?} does not follow from what the model stores"),
        }
    }

    /// Writes what was decided, if it changes anything, and sees whose it was.
    pub(super) fn change(&mut self, by: usize, key: usize, change: Transition) {
        let now = self.rules.instant(self.state.now);
        let owner = match self.state.found(key, now) {
            Some(SlotRef::Claim(claim)) if claim.lapses_at > now => Some(claim.token),
            Some(SlotRef::Finished(finished)) => Some(finished.by),
            _ => None,
        };
        let holding = match change {
            Transition::Keep => return,
            Transition::Put(holding) => Some(holding),
            Transition::Vacate => None,
            Transition::Extend {
                lapses_at,
                forgotten_at,
            } => self.state.claim(key).map(|claim| {
                Slot::Claim(Claim {
                    lapses_at,
                    forgotten_at,
                    ..claim.clone()
                })
            }),
        };
        if owner.is_some_and(|owner| owner_of(number_of(&owner)) != by) {
            self.state.breach(Breach::Stolen);
        }
        self.state.write(key, holding);
    }

    pub(super) fn renew(&mut self, by: usize) {
        let (token, work) = (self.token(by), self.request(by).work);
        let now = self.rules.instant(self.state.now);
        let lease = self.rules.new_claim(work, token).lease();
        let (held, change) = transitions::renew(self.state.found(work.key, now), &lease, now);
        if held == Held::Yes {
            let lapses_at = self.state.now + LEASE;
            self.note(by, |run| run.lapses_at = lapses_at);
        }
        self.change(by, work.key, change);
    }
}
