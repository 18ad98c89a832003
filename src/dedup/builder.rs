use std::{sync::Arc, time::Duration};

use super::{DedupSettings, Deduplicator};
use crate::{
    claim::{ClaimTerms, Claims},
    config::{ConfigError, ExpiredLease},
    event::{Event, Observer},
    store::Store,
};

/// Settings of a [`Deduplicator`]. Each has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct DeduplicatorBuilder {
    settings: DedupSettings,
}

impl DeduplicatorBuilder {
    pub(super) fn new(store: impl Store) -> Self {
        Self {
            settings: DedupSettings {
                claims: Claims::new(store),
                key_prefix: Arc::from("once:"),
                terms: ClaimTerms {
                    lease: Duration::from_secs(30),
                    renew_for: Duration::from_secs(3600),
                    retention: Duration::from_secs(24 * 3600),
                    expired_lease: ExpiredLease::default(),
                },
            },
        }
    }

    /// Sets what every stored key begins with. Two kinds of work need two prefixes.
    ///
    /// Defaults to `once:`.
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.key_prefix = prefix.into();
        self
    }

    /// Sets the lease duration. The lease is renewed while the [`Execution`](super::Execution) lives, for
    /// [`renew_for`](Self::renew_for) at most; after a crash the work rests for at most this long.
    ///
    /// Defaults to 30 seconds: long enough to survive a store that restarts. From 100 ms to 1 hour, and no
    /// longer than `renew_for` and [`retention`](Self::retention).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.terms.lease = lease;
        self
    }

    /// Sets the longest time a lease is renewed. Work that takes longer counts as hung: its last lease
    /// expires, and [`on_expired_lease`](Self::on_expired_lease) decides.
    ///
    /// Defaults to 1 hour, because jobs take longer than requests. At least one [`lease`](Self::lease), at
    /// most a day.
    pub fn renew_for(mut self, longest: Duration) -> Self {
        self.settings.terms.renew_for = longest;
        self
    }

    /// Sets how long it is remembered that work was done; with [`ExpiredLease::Refuse`] also that its owner
    /// crashed.
    ///
    /// Defaults to 24 hours. Choose it longer than the queue delivers again. At least as long as
    /// [`lease`](Self::lease), at most 365 days.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.terms.retention = retention;
        self
    }

    /// Sets what happens to work whose [`lease`](Self::lease) has expired. With
    /// [`Refuse`](ExpiredLease::Refuse) it stays refused for the [`retention`](Self::retention).
    ///
    /// Defaults to [`ExpiredLease::Reexecute`].
    pub fn on_expired_lease(mut self, policy: ExpiredLease) -> Self {
        self.settings.terms.expired_lease = policy;
        self
    }

    /// Sets a closure that receives each claim when it is over, and incidents in the background: for metrics,
    /// traces and alerts. It runs where the work runs, so it must not block. A second call replaces the first.
    ///
    /// Defaults to none, and then nothing is measured. The events are listed in [`event`](crate::event).
    pub fn on_event(mut self, tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.claims = self.settings.claims.observed_by(Observer::new(tell));
        self
    }

    /// Builds the deduplicator.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or two contradict each other. The error names them with their values.
    pub fn build(self) -> Result<Deduplicator, ConfigError> {
        self.settings.terms.check()?;
        Ok(self.build_unchecked())
    }

    pub(super) fn build_unchecked(self) -> Deduplicator {
        Deduplicator {
            settings: Arc::new(self.settings),
        }
    }
}
