use std::sync::Arc;

use actix_web::http::Method;
use sha2::{Digest, Sha256};

use super::{
    fingerprinting::Fingerprinting,
    key::IdempotencyKey,
    key_source::KeySource,
    recording::Recording,
    scope::{Scope, ScopeId},
};
use crate::{
    claim::{ClaimTerms, Claims},
    config::{InFlight, StoreFailure},
    fingerprint::put,
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
    store::StoreKey,
};

/// What an [`Idempotency`](super::Idempotency) was built with.
#[derive(Clone, Debug)]
pub(super) struct IdempotencySettings {
    pub(super) claims: Claims,
    pub(super) scope: Scope,
    pub(super) key: KeySource,
    pub(super) required: bool,
    pub(super) key_prefix: Arc<str>,
    pub(super) filter: RequestFilter,
    pub(super) body: BodyReader,
    pub(super) fingerprinting: Fingerprinting,
    pub(super) terms: ClaimTerms,
    pub(super) in_flight: InFlight,
    pub(super) store_failure: StoreFailure,
    pub(super) recording: Recording,
    pub(super) problems: Problems,
    pub(super) shadow: bool,
}

impl IdempotencySettings {
    /// Under what an operation is kept.
    pub(super) fn store_key(
        &self,
        scope: &ScopeId<'_>,
        method: &Method,
        path: &str,
        key: &IdempotencyKey,
    ) -> StoreKey {
        let mut digest = Sha256::new();
        scope.put(&mut digest);
        put(&mut digest, method.as_str());
        put(&mut digest, path);
        put(&mut digest, key.as_str());
        StoreKey::new(Arc::clone(&self.key_prefix), digest.finalize().into())
    }
}
