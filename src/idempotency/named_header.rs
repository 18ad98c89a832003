use std::{fmt, sync::Arc};

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// A header's name as the application gave it. Read once, not for each request; whether it can be
/// a name at all is said when the middleware is built.
#[derive(Clone)]
pub(super) struct NamedHeader(Result<header::HeaderName, Arc<str>>);

impl NamedHeader {
    pub(super) fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self(header::HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| name))
    }

    pub(super) fn as_str(&self) -> &str {
        match &self.0 {
            Ok(name) => name.as_str(),
            Err(given) => given,
        }
    }

    /// The name, if it is one.
    pub(super) fn get(&self) -> Option<&header::HeaderName> {
        self.0.as_ref().ok()
    }

    pub(super) fn is(&self, name: &header::HeaderName) -> bool {
        self.get() == Some(name)
    }

    /// The values under this name, in their order.
    pub(super) fn values<'a>(
        &self,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = &'a HeaderValue> {
        self.get()
            .into_iter()
            .flat_map(|name| headers.get_all(name))
    }

    /// The only value under this name.
    pub(super) fn only_value<'a>(&self, headers: &'a HeaderMap) -> Only<'a> {
        let mut values = self.values(headers);
        match (values.next(), values.next()) {
            (None, _) => Only::Nothing,
            (Some(value), None) => Only::One(value),
            (Some(_), Some(_)) => Only::Many,
        }
    }
}

/// What stands under a name that should stand there once.
pub(super) enum Only<'a> {
    Nothing,
    One(&'a HeaderValue),
    Many,
}

impl fmt::Debug for NamedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
