use std::{fmt, sync::Arc};

use actix_web::{
    dev::RequestHead,
    http::{Method, header},
};

use crate::config::ConfigError;

type Skip = dyn Fn(&RequestHead) -> bool + Send + Sync;

/// Which requests a middleware guards, as far as their head tells.
#[derive(Clone, Default)]
pub(crate) struct RequestFilter {
    /// `None`: all.
    pub(crate) methods: Option<Vec<Method>>,
    pub(crate) skip: Option<Arc<Skip>>,
}

impl RequestFilter {
    /// Returns whether a request is guarded.
    pub(crate) fn selects(&self, head: &RequestHead) -> bool {
        head.method != Method::OPTIONS
            && (self.methods.as_ref()).is_none_or(|methods| methods.contains(&head.method))
            && !is_upgrade(head)
            && !self.skip.as_ref().is_some_and(|skip| skip(head))
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.methods {
            Some(methods) if methods.is_empty() => Err(ConfigError::new(
                "methods must name at least one method (got none); to leave out single requests use skip",
            )),
            Some(methods) if methods.contains(&Method::OPTIONS) => Err(ConfigError::new(
                "methods must not name OPTIONS, which is never guarded",
            )),
            Some(_) | None => Ok(()),
        }
    }
}

/// Returns whether the connection changes its protocol after this request. Only a `GET` can ask for that:
/// otherwise two headers would lead any `POST` past its guard.
///
/// `Upgrade: h2c` does not count: some clients send it with every first request, a POST too, and actix answers
/// those as HTTP/1.1.
fn is_upgrade(head: &RequestHead) -> bool {
    if head.method == Method::CONNECT {
        return true;
    }
    let offers = head.headers.get(header::UPGRADE);
    head.method == Method::GET
        && head.upgrade()
        && offers.is_some_and(|offers| !offers.as_bytes().eq_ignore_ascii_case(b"h2c"))
}

impl fmt::Debug for RequestFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFilter")
            .field("methods", &self.methods)
            .field("skip", &self.skip.is_some())
            .finish()
    }
}
