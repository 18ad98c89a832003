#![no_main]
//! A key has 1 to 255 visible characters, and quoted it is the same key.

use actix_web_idempotency::internals::read_key;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    let Ok(key) = read_key(value) else { return };
    let text = key.as_str();
    assert!((1..=255).contains(&text.len()));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    let quoted = format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
    assert_eq!(read_key(quoted.as_bytes()), Ok(key.clone()));
    if value.first() != Some(&b'"') {
        assert_eq!(text.as_bytes(), value);
    }
});
