use std::time::Duration;

use tokio::time::Instant;

use super::{
    backoff::Backoff,
    context::{Context, report},
    drain::DrainGuard,
};
use crate::{
    event::{Incident, IncidentKind},
    runtime::log,
    store::{Held, Lease, NewClaim},
};

/// How long a claim without a response is looked for at most, counted from when it was given up,
/// whatever its lease and however long the store is out of reach. As long as a response is tried to be
/// recorded; a search takes a place among the jobs of the process, so it has to end.
const LONGEST_SEARCH: Duration = Duration::from_secs(600);
/// The longest rest while the store is out of reach.
const AWAY: Duration = Duration::from_secs(1);
/// The longest rest while the store says that the claim is not there. The longer it says so, the
/// less likely the claim is still to come; a client that resets many connections must not make
/// much work.
const MISSING: Duration = Duration::from_secs(10);
/// After the store has said so for this long, nobody has to wait for the rest of the search.
const LIKELY_NEVER: Duration = Duration::from_secs(1);

/// Looks for a claim that was given up before it was answered, and frees its key.
///
/// Not finding it once proves nothing: the claim may still wait in a socket of a paused server, or
/// be sent again by the network, and be carried out after the undo that overtook it. So the search
/// goes on for as long as the claim would stand, counted from when the store last failed to answer,
/// and for ten minutes at most.
/// Of a claim that was sent twice it goes on after a find too: the other copy may still come.
pub(super) struct Undo {
    lease: Lease,
    sent_again: bool,
    search: Duration,
    backoff: Backoff,
    given_up: Instant,
    missing_since: Option<Instant>,
    ticket: Option<DrainGuard>,
}

impl Undo {
    pub(super) fn new(claim: &NewClaim, ticket: Option<DrainGuard>) -> Self {
        let now = Instant::now();
        let search = (claim.lease.saturating_add(claim.grace)).min(LONGEST_SEARCH);
        Self {
            lease: claim.lease(),
            sent_again: claim.notes.was_sent_again(),
            search,
            backoff: Backoff::until(now + search),
            given_up: now + LONGEST_SEARCH,
            missing_since: None,
            ticket,
        }
    }

    pub(super) async fn run(mut self, context: &Context) {
        loop {
            let longest_rest = match context.release(&self.lease).await {
                Ok(Held::Yes) => {
                    let key = self.lease.key();
                    report!(
                        context, info, Incident::about_claim(IncidentKind::Undone, key),
                        key:%;
                        "released a late claim of {key}"
                    );
                    if !self.sent_again {
                        return;
                    }
                    self.missing();
                    MISSING
                }
                Ok(Held::Lost) => {
                    self.missing();
                    MISSING
                }
                Err(err) => {
                    let key = self.lease.key();
                    log::debug!(key:%, error:% = err; "{key} is not undone yet: {err}");
                    self.missing_since = None;
                    self.backoff
                        .extend((Instant::now() + self.search).min(self.given_up));
                    AWAY
                }
            };
            if !self.backoff.rest(longest_rest).await {
                return;
            }
        }
    }

    fn missing(&mut self) {
        match self.missing_since {
            // The store is back: what waited for it arrives now.
            None => {
                self.missing_since = Some(Instant::now());
                self.backoff.hurry();
            }
            Some(since) if since.elapsed() >= LIKELY_NEVER => self.ticket = None,
            Some(_) => {}
        }
    }
}
