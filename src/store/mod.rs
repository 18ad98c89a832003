//! The stores of claims and records: the [`Store`] trait, its arguments and its replies.
//!
//! An application picks a store and hands it to a middleware; it needs nothing else from here. This module is
//! for authors of a custom store, and for operators: [`Inspect`] shows what a store contains.

mod any;
mod claim;
mod completion_sql;
#[cfg(feature = "test-util")]
pub mod conformance;
mod erased;
mod error;
mod headers;
mod inspect;
mod key;
#[cfg(feature = "memory")]
pub mod memory;
mod outcome;
mod record;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sql")]
pub mod sql;
mod token;

use std::{fmt::Debug, future::Future, sync::Arc, time::Duration};

use self::erased::ErasedInspect;
#[cfg(test)]
pub(crate) use self::erased::LIMIT;
pub(crate) use self::erased::{ErasedStore, erase};
pub use self::{
    any::AnyStore,
    claim::{ClaimNotes, Lease, NewClaim, StoreWarning},
    completion_sql::CompletionSql,
    error::{StoreError, StoreErrorKind},
    headers::Headers,
    inspect::{Cursor, Inspect, Inspected, Page},
    key::StoreKey,
    outcome::{Begin, Held, Renewed, StoreTime},
    record::{Record, RecordedResponse, Tombstone},
    token::{ClaimId, OwnerToken},
};

/// Stores claims and records, each under one key.
///
/// A key is in one of four states, told apart by the store's own clock:
///
/// ```text
///           begin                 complete
/// vacant ----------> claimed ---------------> finished --(retention)--> vacant
///    ^                |  | ^ begin (same fingerprint, TakeOver),
///    |     release    |  | | or renew by its owner
///    +----------------+  v |
///    +-----(grace)-- expired        (the lease ran out; the claim is remembered)
/// ```
///
/// # Contract
///
/// * Every decision is one atomic step. Of two claims for a vacant key exactly one gets [`Begin::Claimed`].
/// * Outcomes are values, errors are infrastructure. A value that cannot be read is the outcome
///   [`Begin::Unreadable`]: no failure policy may turn it into a second run.
/// * A call that is repeated with the same [`OwnerToken`] is recognised and gets the same outcome. (A lock, see
///   [`NewClaim::lock`], is the exception: a store may store nothing that tells its owner's second claim from a
///   stranger's.)
/// * A store that sends a claim a second time on its own, because the connection ended before the reply,
///   records that in [`NewClaim::notes`] first.
/// * `renew` and `release` act only on a claim of their own token, expired or not; `release` never removes a
///   record. `complete` acts on its own claim or a vacant key, repeats itself harmlessly, and never touches
///   what another owner has.
/// * A claim with another fingerprint is reported, never taken over.
/// * Nothing is forgotten before its time. A full store replies [`StoreErrorKind::Unavailable`] to new claims
///   instead.
/// * Every call ends within a limit that the store documents. The middlewares give up a call after 10 seconds
///   in any case.
/// * Every future can be dropped at any moment; whether its step was carried out is then open.
///
/// The suite in `store::conformance` (feature `test-util`) checks what can be checked from outside. Only
/// [`completion`](Self::completion) has a default: a store that forgot another method would be wrong silently.
pub trait Store: Debug + Send + Sync + 'static {
    /// `true` if every call but [`changed`](Self::changed) ends within a time limit of the store's own, as those
    /// of the stores of this crate do. Otherwise the middlewares give a call up after ten seconds.
    ///
    /// Defaults to `false`, which is always safe, and costs each call a timer.
    const IS_BOUNDED: bool = false;

    /// Claims a vacant key, or returns what it has.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; [`StoreError::may_have_run`] says whether the key may be claimed even
    /// so.
    fn begin(&self, claim: &NewClaim) -> impl Future<Output = Result<Begin, StoreError>> + Send;

    /// Renews the claim of this lease for another full lease, counted from now, and returns the time.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn renew(&self, lease: &Lease) -> impl Future<Output = Result<Renewed, StoreError>> + Send;

    /// Replaces the claim of this lease by a record that is kept for `retention`.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; the record may have been written all the same.
    fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// Makes the key of this lease vacant.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked; the key may be vacant all the same.
    fn release(&self, lease: &Lease) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// Waits until the key no longer has the claim that was seen: it was completed, released or taken over, or
    /// its lease expired. May return early, never much later.
    ///
    /// Naming the claim matters: with the key alone, a completion between `begin` and this call
    /// would be missed. Dropping the future ends the watch.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn changed(
        &self,
        key: &StoreKey,
        seen: &ClaimId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the statement that records a response in a transaction of the application's own, if this store
    /// keeps its records in the application's database. A store that wraps another passes it on.
    ///
    /// Defaults to `None`: the record and the application's rows are two writes.
    fn completion(&self) -> Option<CompletionSql> {
        None
    }
}

impl<S: Store> Store for Arc<S> {
    const IS_BOUNDED: bool = S::IS_BOUNDED;

    fn begin(&self, claim: &NewClaim) -> impl Future<Output = Result<Begin, StoreError>> + Send {
        S::begin(self, claim)
    }

    fn renew(&self, lease: &Lease) -> impl Future<Output = Result<Renewed, StoreError>> + Send {
        S::renew(self, lease)
    }

    fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        S::complete(self, lease, record, retention)
    }

    fn release(&self, lease: &Lease) -> impl Future<Output = Result<Held, StoreError>> + Send {
        S::release(self, lease)
    }

    fn changed(
        &self,
        key: &StoreKey,
        seen: &ClaimId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        S::changed(self, key, seen)
    }

    fn completion(&self) -> Option<CompletionSql> {
        S::completion(self)
    }
}
