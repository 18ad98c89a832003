//! The parts of a request that need neither server nor store.

use std::hint::black_box;

use actix_web_idempotency::{
    Fingerprint, IdempotencyKey,
    internals::{canonical_json, decode_record, encode_record},
    store::{OwnerToken, Record, RecordedResponse},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parts::JSON;
use sha2::{Digest, Sha256};

fn key(c: &mut Criterion) {
    let mut group = c.benchmark_group("key");
    for (name, value) in [
        ("bare", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("quoted", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| black_box(value).parse::<IdempotencyKey>());
        });
    }
    group.finish();
}

/// Orders in an array, of at least this many bytes. The members of each are not in order.
fn orders(size: usize) -> String {
    let orders = vec![JSON; size.div_ceil(JSON.len() + 1)];
    match orders.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(",")),
    }
}

fn fingerprint(c: &mut Criterion) {
    let mut group = c.benchmark_group("fingerprint");
    for (name, size) in [("200 B", 200), ("16 KiB", 16 << 10), ("1 MiB", 1 << 20)] {
        let body = orders(size);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::new("raw sha2", name), |b| {
            b.iter(|| Sha256::digest(black_box(&body)));
        });
        group.bench_function(BenchmarkId::new("bytes", name), |b| {
            b.iter(|| Fingerprint::digest(black_box(&body)));
        });
        group.bench_function(BenchmarkId::new("canonical JSON, not hashed", name), |b| {
            b.iter(|| canonical_json(black_box(body.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("serde_json::Value and back", name), |b| {
            b.iter(|| {
                let value: serde_json::Result<serde_json::Value> =
                    serde_json::from_str(black_box(&body));
                value.and_then(|value| serde_json::to_string(&value))
            });
        });
    }
    group.finish();
}

/// What takes longest of what is put in order at once: 64 KiB, chosen by somebody who means harm.
fn hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("canonical JSON of 64 KiB");
    let large = "x".repeat(60_000);
    let mut nested = format!("\"{large}\"");
    for _level in 0..126 {
        nested = format!(r#"{{"b":{nested},"a":1}}"#);
    }
    let mut members = Vec::new();
    let mut escapes = Vec::new();
    for number in (0..7_000).rev() {
        members.push(format!(r#""{number:04}":1"#));
        escapes.push(r#""\u0041""#);
    }
    for (name, body) in [
        ("nested, each level out of order", nested),
        (
            "one object of many members",
            format!("{{{}}}", members.join(",")),
        ),
        ("escaped letters", format!("[{}]", escapes.join(","))),
        ("open brackets", "[".repeat(64 << 10)),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| canonical_json(black_box(body.as_bytes())))
        });
    }
    group.finish();
}

fn codec(c: &mut Criterion) {
    let mut group = c.benchmark_group("record");
    let owner = OwnerToken::random();
    let headers = [
        ("content-type", "application/json"),
        ("location", "/orders/7"),
    ];
    let record = Record::Response(RecordedResponse {
        fingerprint: Some(Fingerprint::digest(JSON)),
        status: 201,
        headers: headers.into_iter().collect(),
        body: JSON.into(),
    });
    group.bench_function("encode", |b| {
        b.iter(|| encode_record(black_box(&record), &owner));
    });
    let value = encode_record(&record, &owner).unwrap_or_default();
    group.bench_function("decode", |b| {
        b.iter_batched(
            || value.clone(),
            decode_record,
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, key, fingerprint, hostile, codec);
criterion_main!(benches);
