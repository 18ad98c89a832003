#![no_main]
//! Lines of `Prefer` are read without harm; a `wait` in front of them all is the one that counts.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web_idempotency::internals::preferred_wait;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines: Vec<_> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let mut headers = HeaderMap::new();
    for line in &lines {
        headers.append(HeaderName::from_static("prefer"), line.clone());
    }
    let seconds = preferred_wait(&headers).map(|wait| wait.as_secs());
    assert!(seconds.is_none_or(|seconds| seconds <= u32::MAX.into()));

    let mut headers = HeaderMap::new();
    headers.append(
        HeaderName::from_static("prefer"),
        HeaderValue::from_static("WAIT = \"7\";x"),
    );
    for line in lines {
        headers.append(HeaderName::from_static("prefer"), line);
    }
    assert_eq!(preferred_wait(&headers).map(|wait| wait.as_secs()), Some(7));
});
