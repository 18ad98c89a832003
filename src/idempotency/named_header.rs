use std::{fmt, sync::Arc};

use actix_web::http::header::{self, HOST, HeaderMap, HeaderValue};

use crate::middleware::RequestView;

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
    pub(super) fn values<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
        let values = self.get().into_iter();
        values
            .flat_map(|name| headers.get_all(name))
            .map(HeaderValue::as_bytes)
    }

    /// The same, and as a value of `Host` what HTTP/2 sends in its place.
    pub(super) fn values_of<'a>(&self, req: &'a RequestView<'_>) -> impl Iterator<Item = &'a [u8]> {
        let authority = match self.is(&HOST) {
            true => req.authority(),
            false => None,
        };
        self.values(req.headers())
            .chain(authority.map(str::as_bytes))
    }
}

/// The values of a header that should have one.
pub(super) enum Only<'a> {
    Nothing,
    One(&'a [u8]),
    Many,
}

impl<'a> Only<'a> {
    pub(super) fn from_values(mut values: impl Iterator<Item = &'a [u8]>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => Self::One(value),
            (Some(_), Some(_)) => Self::Many,
        }
    }
}

impl fmt::Debug for NamedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
