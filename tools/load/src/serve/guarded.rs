use std::{sync::Arc, time::Duration};

use actix_web::Error;
use actix_web_idempotency::{
    ApiLock, ConfigError, Fingerprint, Idempotency, InFlight, MemoryStore, RedisStore, RequestView,
    Scope,
    api_lock::LockPayload,
    idempotency::IdempotencyBuilder,
    store::{NewClaim, Store, StoreKey},
};
use serde_json::{Value, json};

use super::Payload;

/// More than any run makes.
const ENTRIES: usize = 20_000_000;
const CROWD: u64 = 1_000_000;

pub(super) fn lock_over(payload: Payload, redis: Option<&str>) -> Result<ApiLock, ConfigError> {
    match (payload, redis) {
        (Payload::Bytes, None) => ApiLock::builder(memory()?, bytes).build(),
        (Payload::Bytes, Some(url)) => ApiLock::builder(RedisStore::new(url)?, bytes).build(),
        (Payload::Json, None) => ApiLock::builder(memory()?, by_value).build(),
        (Payload::Json, Some(url)) => ApiLock::builder(RedisStore::new(url)?, by_value).build(),
        (Payload::Value, None) => {
            ApiLock::builder_with_payload(memory()?, LockPayload::fallible(parsed)).build()
        }
        (Payload::Value, Some(url)) => {
            ApiLock::builder_with_payload(RedisStore::new(url)?, LockPayload::fallible(parsed))
                .build()
        }
    }
}

pub(super) async fn crowded_lock() -> anyhow::Result<ApiLock> {
    Ok(ApiLock::builder(crowded_memory().await?, bytes).build()?)
}

pub(super) async fn crowded_keys() -> anyhow::Result<Idempotency> {
    Ok(Idempotency::builder(crowded_memory().await?, Scope::global()).build()?)
}

fn bytes(req: &RequestView<'_>) -> Fingerprint {
    Fingerprint::digest(req.bytes())
}

fn by_value(req: &RequestView<'_>) -> Value {
    json!({ "path": req.path(), "body": req.body() })
}

fn parsed(req: &RequestView<'_>) -> Result<Option<Value>, Error> {
    let body: Value = req.json()?;
    Ok(Some(json!({ "path": req.path(), "body": body })))
}

pub(super) fn keys(redis: Option<&str>) -> Result<Idempotency, ConfigError> {
    builder(redis)?.build()
}

pub(super) fn waiting_keys(redis: Option<&str>) -> Result<Idempotency, ConfigError> {
    let longest = Duration::from_secs(30);
    builder(redis)?
        .on_in_flight(InFlight::Wait(longest.into()))
        .build()
}

fn builder(redis: Option<&str>) -> Result<IdempotencyBuilder, ConfigError> {
    Ok(match redis {
        None => Idempotency::builder(memory()?, Scope::global()),
        Some(url) => Idempotency::builder(RedisStore::new(url)?, Scope::global()),
    })
}

fn memory() -> Result<MemoryStore, ConfigError> {
    MemoryStore::builder().max_entries(ENTRIES).build()
}

/// A store with a million keys that are held for longer than any run takes.
async fn crowded_memory() -> anyhow::Result<MemoryStore> {
    let store = memory()?;
    let prefix: Arc<str> = "crowd:".into();
    for number in 0..CROWD {
        let digest = Fingerprint::digest(number.to_be_bytes());
        let key = StoreKey::new(Arc::clone(&prefix), *digest.as_bytes());
        let claim = NewClaim::lock(key, Duration::from_secs(3600));
        store.begin(&claim).await?;
    }
    Ok(store)
}
