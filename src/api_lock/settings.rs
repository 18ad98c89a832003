use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::payload::LockPayload;
use crate::{
    claim::Claims,
    config::StoreFailure,
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
};

/// What an [`ApiLock`](super::ApiLock) was built with.
#[derive(Clone)]
pub(super) struct LockSettings {
    pub(super) claims: Claims,
    pub(super) payload: LockPayload,
    pub(super) ttl: Duration,
    pub(super) store_failure: StoreFailure,
    pub(super) key_prefix: Arc<str>,
    pub(super) error_message: Option<Cow<'static, str>>,
    pub(super) filter: RequestFilter,
    pub(super) body: BodyReader,
    pub(super) ignore_body: bool,
    pub(super) problems: Problems,
    pub(super) shadow: bool,
}

impl fmt::Debug for LockSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiLock")
            .field("store", &self.claims)
            .field("ttl", &self.ttl)
            .field("store_failure", &self.store_failure)
            .field("key_prefix", &self.key_prefix)
            .field("error_message", &self.error_message)
            .field("filter", &self.filter)
            .field("body", &self.body)
            .field("ignore_body", &self.ignore_body)
            .field("problems", &self.problems)
            .field("shadow", &self.shadow)
            .finish()
    }
}
