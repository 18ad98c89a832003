use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use super::payload::PayloadFn;
use crate::{
    claim::Claims,
    middleware::{BodyReader, RequestFilter},
    problem::Problems,
};

/// What an [`ApiLock`](super::ApiLock) was built with.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) claims: Claims,
    pub(super) payload: PayloadFn,
    pub(super) ttl: Duration,
    pub(super) silent: bool,
    pub(super) key_prefix: Arc<str>,
    pub(super) error_message: Option<Cow<'static, str>>,
    pub(super) filter: RequestFilter,
    pub(super) body: BodyReader,
    pub(super) ignore_body: bool,
    pub(super) problems: Problems,
    pub(super) shadow: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiLock")
            .field("store", &self.claims)
            .field("ttl", &self.ttl)
            .field("silent", &self.silent)
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
