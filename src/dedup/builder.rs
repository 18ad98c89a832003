use std::{sync::Arc, time::Duration};

use super::{DedupSettings, Deduplicator};
use crate::{
    claim::{ClaimTerms, Claims},
    config::{ConfigError, ExpiredLease},
    event::{Event, Observer},
    store::Store,
};

/// Settings of a [`Deduplicator`]; every one has a default.
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

    /// What every stored key begins with. Two kinds of work need two prefixes.
    ///
    /// Default: `once:`.
    pub fn key_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.settings.key_prefix = prefix.into();
        self
    }

    /// How long a claim stands without being renewed; it is renewed while its run lives. So long
    /// the work rests after its process died.
    ///
    /// Default: 30 seconds: long enough to survive a store that restarts.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.terms.lease = lease;
        self
    }

    /// The longest time a claim is renewed. Work that takes longer counts as hung, and another may
    /// begin it.
    ///
    /// Default: an hour; jobs take longer than requests.
    pub fn renew_for(mut self, longest: Duration) -> Self {
        self.settings.terms.renew_for = longest;
        self
    }

    /// How long it is remembered that work was done.
    ///
    /// Default: 24 hours. Choose it longer than the queue delivers again.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.terms.retention = retention;
        self
    }

    /// What becomes of work whose owner died.
    ///
    /// Default: [`ExpiredLease::Reexecute`].
    pub fn on_expired_lease(mut self, policy: ExpiredLease) -> Self {
        self.settings.terms.expired_lease = policy;
        self
    }

    /// Tells a closure of each claim when it is over, and of incidents in the background:
    /// for metrics, traces and alerts. It runs where the work runs, so it must not block. A second call
    /// replaces the first.
    ///
    /// Default: nobody is told, and nothing is measured. What there is to tell: [`event`](crate::event).
    pub fn on_event(mut self, tell: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.claims = self.settings.claims.observed_by(Observer::new(tell));
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or two contradict each other; the error names them with their
    /// values.
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
