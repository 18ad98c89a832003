use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use actix_web::{
    dev::RequestHead,
    http::{Method, header},
};

use super::payload::PayloadFn;
use crate::{body_reader::BodyReader, claim::Claims, problem::Renderer};

pub(super) type Skip = dyn Fn(&RequestHead) -> bool + Send + Sync;

/// What an [`ApiLock`](super::ApiLock) was built with.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) claims: Claims,
    pub(super) payload: PayloadFn,
    pub(super) ttl: Duration,
    pub(super) silent: bool,
    pub(super) key_prefix: Arc<str>,
    pub(super) error_message: Option<Cow<'static, str>>,
    /// `None`: all.
    pub(super) methods: Option<Vec<Method>>,
    pub(super) skip: Option<Arc<Skip>>,
    pub(super) body: BodyReader,
    pub(super) ignore_body: bool,
    pub(super) problems: Renderer,
}

impl Settings {
    /// Whether a request is guarded, as far as its head tells.
    pub(super) fn guards(&self, head: &RequestHead) -> bool {
        head.method != Method::OPTIONS
            && (self.methods.as_ref()).is_none_or(|methods| methods.contains(&head.method))
            && !is_upgrade(head)
            && !self.skip.as_ref().is_some_and(|skip| skip(head))
    }
}

/// Whether the connection will speak something else after this request.
///
/// `Upgrade: h2c` does not count: some clients offer it with every first request, a POST too,
/// and actix answers those as HTTP/1.1.
fn is_upgrade(head: &RequestHead) -> bool {
    if head.method == Method::CONNECT {
        return true;
    }
    let offers = head.headers.get(header::UPGRADE);
    head.upgrade() && offers.is_some_and(|offers| !offers.as_bytes().eq_ignore_ascii_case(b"h2c"))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiLock")
            .field("store", &self.claims)
            .field("ttl", &self.ttl)
            .field("silent", &self.silent)
            .field("key_prefix", &self.key_prefix)
            .field("error_message", &self.error_message)
            .field("methods", &self.methods)
            .field("skip", &self.skip.is_some())
            .field("body", &self.body)
            .field("ignore_body", &self.ignore_body)
            .field("problems", &self.problems)
            .finish()
    }
}
