#![no_main]
//! Canonical JSON text is short, its own canonical text, and says the same value.

use actix_web_idempotency::{Fingerprint, internals::canonical_json};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};

fuzz_target!(|bytes: &[u8]| {
    let Some(canonical) = canonical_json(bytes) else {
        let is_json = serde_json::from_slice::<&RawValue>(bytes).is_ok();
        assert!(!is_json, "JSON without a canonical text");
        return;
    };
    assert!(canonical.len() <= bytes.len());
    assert_eq!(
        canonical_json(canonical.as_bytes()).as_ref(),
        Some(&canonical)
    );
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        assert_eq!(serde_json::from_str::<Value>(&canonical).unwrap(), value);
    }
    let raw: &RawValue = serde_json::from_slice(bytes).unwrap();
    let fingerprint = Fingerprint::digest_json(raw).unwrap();
    assert_eq!(fingerprint, Fingerprint::digest(canonical));
});
