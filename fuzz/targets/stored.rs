#![no_main]
//! What can be read of a value in Redis is what would be written.

use actix_web_idempotency::{
    internals::{decode_claim, decode_record, encode_record},
    store::OwnerToken,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let claim = decode_claim(value.to_vec());
    let Some(record) = decode_record(value.to_vec()) else {
        return;
    };
    assert!(claim.is_none());
    let digits = str::from_utf8(&value[2..34]).unwrap();
    let token = u128::from_str_radix(digits, 16).unwrap().to_be_bytes();
    let written = encode_record(&record, &OwnerToken::from_bytes(token));
    assert_eq!(written.as_deref(), Some(value));
});
