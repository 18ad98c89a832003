use std::{sync::Arc, time::Duration};

use actix_web_idempotency::{
    RedisStore,
    store::{
        Begin, ClaimId, Held, Lease, NewClaim, OwnerToken, Record, Renewed, Store, StoreError,
        StoreKey,
    },
};

use crate::{
    asked::Asked,
    event::{Call, Ending, Event},
    journal::Journal,
};

/// Writes down what the store says to the middleware, before the middleware knows.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) store: RedisStore,
    pub(crate) journal: Arc<Journal>,
}

impl Witness {
    fn asked(&self, token: &OwnerToken, call: Call) -> Asked<'_> {
        Asked::about(&self.journal, token.to_hex(), call)
    }
}

impl Store for Witness {
    const IS_BOUNDED: bool = RedisStore::IS_BOUNDED;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let asked = self.asked(&claim.token, Call::Begin);
        let outcome = self.store.begin(claim).await;
        asked.came_to(outcome, |begin, claim, _since| {
            matches!(begin, Begin::Claimed { .. }).then_some(Event::Claimed { claim })
        })
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let asked = self.asked(lease.token(), Call::Renew);
        let outcome = self.store.renew(lease).await;
        asked.came_to(outcome, |renewed, claim, since| match renewed {
            Renewed::Yes { at } => Some(Event::Renewed {
                claim,
                store_time: at.0,
            }),
            Renewed::Lost => Some(Event::Lost { claim, since }),
        })
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let asked = self.asked(lease.token(), Call::Complete);
        let ending = match record {
            Record::Response(_) => Ending::Answer,
            Record::Tombstone(_) => Ending::Tombstone,
        };
        let outcome = self.store.complete(lease, record, retention).await;
        asked.came_to(outcome, |held, claim, _since| told(claim, ending, *held))
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let asked = self.asked(lease.token(), Call::Release);
        let outcome = self.store.release(lease).await;
        asked.came_to(outcome, |held, claim, _since| {
            told(claim, Ending::Release, *held)
        })
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        self.store.changed(key, seen).await
    }
}

fn told(claim: String, ending: Ending, held: Held) -> Option<Event> {
    let held = held == Held::Yes;
    Some(Event::Told {
        claim,
        ending,
        held,
    })
}
