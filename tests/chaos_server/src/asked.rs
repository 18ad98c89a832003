use actix_web_idempotency::store::StoreError;

use crate::{
    event::{Call, Event, Micros, now},
    journal::Journal,
};

/// A call to the store that is under way. Dropped, it was given up.
pub(crate) struct Asked<'a> {
    journal: &'a Journal,
    claim: String,
    call: Call,
    since: Micros,
    is_open: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn about(journal: &'a Journal, claim: String, call: Call) -> Self {
        Self {
            journal,
            claim,
            call,
            since: now(),
            is_open: true,
        }
    }

    /// The outcome, when it has been written down. `event` tells what is worth it.
    pub(crate) fn came_to<T>(
        mut self,
        outcome: Result<T, StoreError>,
        event: impl FnOnce(&T, String, Micros) -> Option<Event>,
    ) -> Result<T, StoreError> {
        self.is_open = false;
        let claim = std::mem::take(&mut self.claim);
        let event = match &outcome {
            Ok(told) => event(told, claim, self.since),
            Err(err) => Some(self.missed(claim, err.may_have_run())),
        };
        if let Some(event) = event {
            self.journal.write(event);
        }
        outcome
    }

    fn missed(&self, claim: String, sent: bool) -> Event {
        let (call, since) = (self.call, self.since);
        Event::Missed {
            claim,
            call,
            since,
            sent,
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let claim = std::mem::take(&mut self.claim);
            self.journal.write(self.missed(claim, true));
        }
    }
}
