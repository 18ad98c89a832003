use std::fmt;

use actix_web::{
    dev::ResponseHead,
    http::{StatusCode, header::HeaderMap},
};

/// A response, as [`Recording::when`](crate::Recording::when) sees it.
pub struct ResponseView<'a> {
    head: &'a ResponseHead,
    body: Option<&'a [u8]>,
}

impl<'a> ResponseView<'a> {
    pub(super) fn new(head: &'a ResponseHead, body: Option<&'a [u8]>) -> Self {
        Self { head, body }
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the headers, before those that are never recorded are left out.
    pub fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// Returns the body where it is in memory. `None` for a stream or a file, which has yet to be read.
    pub fn body(&self) -> Option<&'a [u8]> {
        self.body
    }
}

/// Without headers and body: they may hold secrets.
impl fmt::Debug for ResponseView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseView")
            .field("status", &self.status())
            .field("body", &self.body.map(<[u8]>::len))
            .finish_non_exhaustive()
    }
}
