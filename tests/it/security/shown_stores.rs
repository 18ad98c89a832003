//! What stores are made of and hand out, for `shown.rs`.

use std::time::Duration;

use actix_web_idempotency::{
    AnyStore, ExpiredLease, Fingerprint, MemoryStore, RedisStore,
    store::{
        Begin, ClaimId, Cursor, Headers, Held, Inspect, NewClaim, OwnerToken, Record,
        RecordedResponse, Renewed, Store, StoreError, StoreKey, StoreTime, StoreWarning,
    },
};
use bytes::Bytes;

use super::shown::{SECRET, Shown, TOKEN};
use crate::support::redis::Redis;

const LONG: Duration = Duration::from_secs(60);

fn secret_answer() -> RecordedResponse {
    RecordedResponse {
        fingerprint: Some(Fingerprint::digest(SECRET)),
        status: 201,
        headers: [("location", SECRET), ("x-secret", SECRET)]
            .into_iter()
            .collect(),
        body: Bytes::from_static(SECRET.as_bytes()),
    }
}

/// The store's side, Redis with a password and certificates.
pub(super) async fn of_stores(shown: &Shown) {
    let redis = Redis::with(&["--requirepass", SECRET]);
    let url = format!("redis://:{SECRET}@127.0.0.1:{}/", redis.port());
    let builder = RedisStore::builder(url.clone());
    shown.add("RedisStoreBuilder", &builder);
    let sentinel = RedisStore::sentinel(format!("redis://:{SECRET}@main/"), [url.clone()]);
    let cluster = RedisStore::cluster([url]);
    shown.add("RedisStoreBuilder", &(&sentinel, &cluster));
    shown.add(
        "RedisStore",
        &(sentinel.build().unwrap(), cluster.build().unwrap()),
    );
    let store = builder.build().unwrap();
    let findings = store.check("t:").await.unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        shown.add("Finding", &(&finding, finding.to_string()));
        shown.add("FindingKind", &finding.kind());
    }
    shown.add("RedisStore", &store);
    shown.add("MemoryStoreBuilder", &MemoryStore::builder());
    shown.add("AnyStore", &AnyStore::new(store.clone()));

    let memory = MemoryStore::new();
    let mut claim = NewClaim::lock(StoreKey::new("t:", [7; 32]), Duration::from_secs(60));
    claim.token = OwnerToken::from_bytes(TOKEN);
    shown.add("OwnerToken", &claim.token);
    shown.add("ClaimId", &ClaimId::new(claim.token));
    shown.add("NewClaim", &claim);
    claim.notes.warn(StoreWarning::FillingUp);
    shown.add("ClaimNotes", &claim.notes);
    for warning in claim.notes.warnings() {
        shown.add("StoreWarning", &warning);
    }
    shown.add("ExpiredLease", &ExpiredLease::Refuse);
    let claimed = memory.begin(&claim).await.unwrap();
    assert!(matches!(claimed, Begin::Claimed { .. }));
    shown.add("Begin", &claimed);
    shown.add(
        "Begin",
        &memory
            .begin(&NewClaim::lock(claim.key.clone(), LONG))
            .await
            .unwrap(),
    );
    shown.add("Lease", &claim.lease());
    shown.add("StoreKey", &claim.key);
    let renewed = memory.renew(&claim.lease()).await.unwrap();
    if let Renewed::Yes { at } = renewed {
        shown.add("StoreTime", &(at, StoreTime(0)));
    }
    shown.add("Renewed", &renewed);
    let answer = secret_answer();
    shown.add("Headers", &(&answer.headers, Headers::new()));
    shown.add("Tombstone", &answer.to_tombstone());
    shown.add("Record", &Record::Tombstone(answer.to_tombstone()));
    shown.add("RecordedResponse", &answer);
    let record = Record::Response(answer);
    let held: Held = memory
        .complete(&claim.lease(), &record, LONG)
        .await
        .unwrap();
    shown.add("Held", &held);
    shown.add("Begin", &memory.begin(&claim).await.unwrap());
    shown.add("Record", &record);
    shown.add("MemoryStore", &memory);
    shown.add("MemoryUsage", &memory.usage());
    let page = memory
        .list("", &Cursor::start(), 10.try_into().unwrap())
        .await
        .unwrap();
    shown.add("Inspected", &page.entries[0].1);
    shown.add("Page", &page);
    shown.add("Cursor", &Cursor::start());
    let err = StoreError::timeout();
    shown.add("StoreErrorKind", &err.kind());
    shown.add("StoreError", &(&err, err.to_string()));
}
