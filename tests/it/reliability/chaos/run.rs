use std::sync::Arc;

use super::event::{Call, Ending, Fate, Micros};

/// A handler that took its fence, and all that is known of its claim.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) fence: Micros,
    pub(super) ended: Option<(Micros, Fate)>,
    /// The store's time when it last confirmed the claim; `None` when it never did.
    pub(super) confirmed: Option<Micros>,
    pub(super) told: Vec<Told>,
    pub(super) missed: Vec<Missed>,
    /// When the store was asked to confirm the claim, and when it said that it is lost.
    pub(super) lost: Vec<(Micros, Micros)>,
    /// A moment before its process was killed.
    pub(super) killed: Option<Micros>,
    /// When its process got no processor: from and until.
    pub(super) stalls: Arc<[(Micros, Micros)]>,
}

/// That the store has heard how a claim ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) at: Micros,
    pub(super) ending: Ending,
    pub(super) held: bool,
}

/// A call about a claim that was not answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    pub(super) call: Call,
    pub(super) since: Micros,
    pub(super) until: Micros,
}

impl Run {
    /// Whether it left its key free, before this moment.
    pub(super) fn was_transient_before(&self, moment: Micros) -> bool {
        self.ended
            .is_some_and(|(at, fate)| fate.is_transient() && at <= moment)
    }

    /// When the store is known to have its record, and whether that is the whole answer.
    pub(super) fn recorded(&self) -> Option<(Micros, bool)> {
        let mut told = self.told.iter();
        let record = told.find(|told| told.held && told.ending != Ending::Release)?;
        Some((record.at, record.ending == Ending::Answer))
    }

    /// Whether the store has been told of its end, or could not be, before this moment.
    pub(super) fn was_told_before(&self, moment: Micros) -> bool {
        let missed = |missed: &Missed| {
            matches!(missed.call, Call::Complete | Call::Release) && missed.until <= moment
        };
        self.told.iter().any(|told| told.at <= moment) || self.missed.iter().any(missed)
    }

    /// Whether the store was being asked to confirm the claim when it lapsed.
    pub(super) fn was_asking_at(&self, lapse: Micros) -> bool {
        let mut lost = self.lost.iter();
        lost.any(|(since, until)| (*since..=*until).contains(&lapse))
    }

    /// Whether something between two moments can have kept its process from the store.
    pub(super) fn had_trouble(&self, from: Micros, until: Micros) -> bool {
        let between = |since: Micros, end: Micros| since <= until && end >= from;
        let killed = self.killed.is_some_and(|killed| killed <= until);
        let mut missed = self.missed.iter();
        let mut stalls = self.stalls.iter();
        killed
            || missed.any(|missed| between(missed.since, missed.until))
            || stalls.any(|(since, end)| between(*since, *end))
    }
}
