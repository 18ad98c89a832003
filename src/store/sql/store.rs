use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Database, Inner, SqlStore, Value,
    call::{IfLost, Tries},
    purge,
    rows::{Columns, millis, value_of, values_of, word},
};
use crate::{
    config::ExpiredLease,
    fingerprint::Fingerprint,
    store::{
        Begin, ClaimId, CompletionSql, Held, Lease, NewClaim, Record, Renewed, Store, StoreError,
        StoreKey, StoreTime,
    },
};

impl<D: Database> Store for SqlStore<D> {
    const IS_BOUNDED: bool = true;

    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        let store = &*self.0;
        let deadline = store.deadline();
        let mut tries = Tries::new();
        loop {
            let seen = match store.see(claim, deadline).await? {
                Seen::Vacant(attempt) => return Ok(self.claimed(claim, attempt)),
                Seen::Done(begin) => return Ok(begin),
                // Somebody else's row came meanwhile.
                Seen::Nothing => None,
                Seen::Free(seen) => {
                    if let Some(attempt) = store.take_over(claim, deadline).await? {
                        return Ok(self.claimed(claim, attempt));
                    }
                    Some(seen)
                }
            };
            if !tries.next().await {
                let (by, fingerprint) = seen.unwrap_or_default();
                let left = (fingerprint == claim.fingerprint).then_some(Duration::ZERO);
                return Ok(Begin::InFlight {
                    by,
                    fingerprint,
                    left,
                });
            }
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        super::renewals::renew(&self.0, lease).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let store = &*self.0;
        let deadline = store.deadline();
        let key = lease.key().to_text();
        let [status, headers, body] = values_of(record);
        let values = [
            Value::Text(&key),
            Value::Bytes(Some(lease.token().as_bytes())),
            value_of(record.fingerprint()),
            status,
            headers,
            body,
            Value::Int(millis(retention)),
            Value::Int(millis(store.purge_after)),
        ];
        let mut tries = Tries::new();
        loop {
            let sql = &store.statements.complete;
            let rows = store.run(sql, &values, IfLost::Repeat, deadline).await?;
            match word(&rows)?.as_deref() {
                Some("done") => {
                    store.watches.changed(lease.key());
                    return Ok(Held::Yes);
                }
                Some("lost") | None => return Ok(Held::Lost),
                _ if tries.next().await => {}
                _ => return Err(locked()),
            }
        }
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let owner = Some(lease.token().as_bytes().as_slice());
        let removed = self.0.remove(lease.key(), owner, Removes::Claims).await?;
        Ok(match removed {
            true => Held::Yes,
            false => Held::Lost,
        })
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        super::watches::changed(&self.0, key, seen).await
    }

    fn completion(&self) -> Option<CompletionSql> {
        let commit = Arc::clone(&self.0.statements.commit);
        let completion = CompletionSql::new(commit, self.0.database.prepares());
        Some(completion.with_time(D::DIALECT.asks_for_time()))
    }
}

/// What a claim meets.
enum Seen {
    /// Nothing: the key is claimed.
    Vacant(NonZeroU32),
    /// An expired claim or a forgotten row, which can be taken over.
    Free((Option<ClaimId>, Option<Fingerprint>)),
    /// Anything else.
    Done(Begin),
    /// A row that it cannot see yet.
    Nothing,
}

/// What is removed from a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Removes {
    Claims,
    Everything,
}

impl<D: Database> SqlStore<D> {
    fn claimed(&self, claim: &NewClaim, attempt: NonZeroU32) -> Begin {
        purge::if_due(&self.0);
        Begin::Claimed {
            lease: claim.lease(),
            attempt,
        }
    }
}

impl<D: Database> Inner<D> {
    async fn see(&self, claim: &NewClaim, deadline: Instant) -> Result<Seen, StoreError> {
        let rows = self
            .claim_with(&self.statements.begin, claim, deadline)
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Seen::Nothing);
        };
        let mut columns = Columns::new(row);
        let state = columns.text()?.unwrap_or_default();
        // A statement that only reads leaves the claim to the next one.
        if state == "vacant" {
            return Ok(Seen::Free(Default::default()));
        }
        let (attempt, by, fingerprint) = (
            columns.attempt()?,
            columns.claim_id()?,
            columns.fingerprint()?,
        );
        let left = columns.duration()?;
        // Written by something else.
        let (Some(attempt), Some(fingerprint)) = (attempt, fingerprint) else {
            return Ok(Seen::Done(Begin::Unreadable));
        };
        Ok(match state.as_str() {
            "claimed" => Seen::Vacant(attempt),
            "forgotten" => Seen::Free((by, fingerprint)),
            "expired" if claim.on_expired_lease == ExpiredLease::Reexecute => {
                Seen::Free((by, fingerprint))
            }
            "expired" => Seen::Done(Begin::Expired { fingerprint }),
            "finished" => Seen::Done(match columns.record(fingerprint)? {
                Some(record) => Begin::Finished(record),
                None => Begin::Unreadable,
            }),
            _ => Seen::Done(Begin::InFlight {
                by,
                fingerprint,
                left: (fingerprint == claim.fingerprint).then_some(left),
            }),
        })
    }

    /// Returns the number of the attempt; `None` if the row is not free any more, or not yet.
    async fn take_over(
        &self,
        claim: &NewClaim,
        deadline: Instant,
    ) -> Result<Option<NonZeroU32>, StoreError> {
        let rows = self
            .claim_with(&self.statements.take_over, claim, deadline)
            .await?;
        match rows.first() {
            Some(row) => Columns::new(row).attempt(),
            None => Ok(None),
        }
    }

    async fn claim_with(
        &self,
        sql: &Arc<str>,
        claim: &NewClaim,
        deadline: Instant,
    ) -> Result<Vec<D::Row>, StoreError> {
        let key = claim.key.to_text();
        let values = [
            Value::Text(&key),
            Value::Bytes(Some(claim.token.as_bytes())),
            value_of(claim.fingerprint.as_ref()),
            Value::Int(millis(claim.lease)),
            Value::Int(millis(claim.grace)),
            Value::Int(millis(self.purge_after)),
            Value::Int(self.asynchronous_claims.into()),
            Value::Int((claim.on_expired_lease == ExpiredLease::Reexecute).into()),
        ];
        let if_lost = IfLost::RepeatClaim(&claim.notes);
        self.run(sql, &values, if_lost, deadline).await
    }

    /// Makes a key vacant and returns whether there was something to remove: of this owner, or of any.
    pub(super) async fn remove(
        &self,
        key: &StoreKey,
        owner: Option<&[u8]>,
        removes: Removes,
    ) -> Result<bool, StoreError> {
        let deadline = self.deadline();
        let text = key.to_text();
        let values = [
            Value::Text(&text),
            Value::Bytes(owner),
            Value::Int((removes == Removes::Everything).into()),
        ];
        let mut tries = Tries::new();
        loop {
            let sql = &self.statements.remove;
            let rows = self.run(sql, &values, IfLost::Fail, deadline).await?;
            match word(&rows)?.as_deref() {
                Some("removed") => {
                    self.watches.changed(key);
                    return Ok(true);
                }
                Some("absent") | None => return Ok(false),
                _ if tries.next().await => {}
                _ => return Err(locked()),
            }
        }
    }
}

fn locked() -> StoreError {
    StoreError::unavailable(
        "a transaction has locked the row of the key, most likely that of its owner, to complete it",
    )
}

/// Reads the reply to a renewal.
pub(super) fn renewed(micros: i64) -> Renewed {
    let at = StoreTime(micros.try_into().unwrap_or_default());
    Renewed::Yes { at }
}
