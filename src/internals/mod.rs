//! Not a part of the API: what the tests, benches and fuzz targets of this repository reach into.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "redis")]
mod value;

use std::time::Duration;

use actix_web::http::header::HeaderMap;

#[cfg(feature = "metrics")]
pub use self::metrics::{Emitted, emitted_metrics};
#[cfg(feature = "redis")]
pub use self::value::{decode_claim, decode_record, encode_claim, encode_record};
use crate::{
    fingerprint::canonical,
    idempotency::{
        key::{self, IdempotencyKey, InvalidKey},
        prefer,
    },
};

/// Returns the key of a header's value, with the usual length.
///
/// # Errors
///
/// When it says none.
pub fn read_key(value: &[u8]) -> Result<IdempotencyKey, InvalidKey> {
    IdempotencyKey::from_header(value, key::LONGEST)
}

/// Returns the canonical form of a text that may be JSON.
pub fn canonical_json(text: &[u8]) -> Option<String> {
    canonical::json(text)
}

/// Returns the canonical form of a form.
pub fn canonical_form(body: &[u8]) -> Vec<u8> {
    canonical::form(body)
}

/// Returns how long a client prefers to wait.
pub fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    prefer::wait(headers)
}
