#![no_main]
//! The canonical form of a form is of bounded size, and the same when its pairs are written out in
//! order.

use std::io::Write;

use actix_web_idempotency::internals::canonical_form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let canonical = canonical_form(bytes);
    assert!(canonical.len() <= 17 * bytes.len());
    assert_eq!(canonical_form(&written(&canonical)), canonical);
});

/// The form that has this canonical form.
fn written(mut canonical: &[u8]) -> Vec<u8> {
    let mut form = Vec::new();
    while !canonical.is_empty() {
        for end in [b'=', b'&'] {
            let (length, rest) = canonical.split_first_chunk().unwrap();
            let length = usize::try_from(u64::from_be_bytes(*length)).unwrap();
            let (text, rest) = rest.split_at(length);
            for byte in text {
                write!(form, "%{byte:02x}").unwrap();
            }
            form.push(end);
            canonical = rest;
        }
    }
    form
}
