use std::{fmt, sync::Arc};

use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, http::StatusCode};

use super::{key::IdempotencyKey, settings::IdempotencySettings};
use crate::problem::{ProblemKind, Problems};

/// A guard that a request has passed without a claim. Handlers that need what the request lacks are refused
/// in the words of that guard.
pub(super) struct Passed {
    settings: Arc<IdempotencySettings>,
    /// Guarded, if only it had a key.
    lacks_key: bool,
}

impl Passed {
    /// The request has passed, because nothing of it is guarded, or because it has no key.
    pub(super) fn note(
        req: &impl HttpMessage,
        settings: &Arc<IdempotencySettings>,
        lacks_key: bool,
    ) {
        let mut extensions = req.extensions_mut();
        if !extensions.contains::<IdempotencyKey>() {
            extensions.insert(Self {
                settings: Arc::clone(settings),
                lacks_key,
            });
        }
    }
}

/// A handler that needs the idempotency key of a request that has none: the problem `key-missing`, as a
/// guard that requires keys refuses it.
pub(super) struct MissingKey(Option<Arc<IdempotencySettings>>);

impl MissingKey {
    pub(super) fn from_request(req: &HttpRequest) -> Self {
        let extensions = req.extensions();
        let passed = extensions.get::<Passed>();
        Self(passed.map(|passed| Arc::clone(&passed.settings)))
    }

    /// The same when a guard let the request pass because it had no key, and for no other reason.
    pub(super) fn at_a_guard(req: &HttpRequest) -> Option<Self> {
        let extensions = req.extensions();
        let passed = extensions
            .get::<Passed>()
            .filter(|passed| passed.lacks_key)?;
        Some(Self(Some(Arc::clone(&passed.settings))))
    }
}

impl ResponseError for MissingKey {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        let kind = ProblemKind::KeyMissing;
        match &self.0 {
            Some(settings) => settings.problems.response(kind, None, Vec::new()),
            None => Problems::new().response(kind, None, Vec::new()),
        }
    }
}

impl fmt::Display for MissingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request has no idempotency key")
    }
}

impl fmt::Debug for MissingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MissingKey")
    }
}
