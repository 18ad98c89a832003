use std::{sync::Arc, time::Duration};

use actix_web::Error;
use actix_web_idempotency::{
    AnyStore, ApiLock, ConfigError, Fingerprint, Idempotency, InFlight, MemoryStore, RedisStore,
    RequestView, Scope,
    api_lock::LockPayload,
    store::{NewClaim, Store, StoreKey},
};
use actix_web_idempotency_sqlx::{
    PgStore, SqliteStore,
    sqlx::postgres::{PgPool, PgPoolOptions},
};
use serde_json::{Value, json};

use super::Payload;

/// More than any run makes.
const ENTRIES: usize = 20_000_000;
const CROWD: u64 = 1_000_000;

pub(super) fn lock_over(payload: Payload, store: AnyStore) -> Result<ApiLock, ConfigError> {
    match payload {
        Payload::Bytes => ApiLock::builder(store, bytes).build(),
        Payload::Json => ApiLock::builder(store, by_value).build(),
        Payload::Value => {
            ApiLock::builder_with_payload(store, LockPayload::fallible(parsed)).build()
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

pub(super) fn keys(store: AnyStore) -> Result<Idempotency, ConfigError> {
    Idempotency::builder(store, Scope::global()).build()
}

pub(super) fn waiting_keys(store: AnyStore) -> Result<Idempotency, ConfigError> {
    let longest = Duration::from_secs(30);
    Idempotency::builder(store, Scope::global())
        .on_in_flight(InFlight::Wait(longest.into()))
        .build()
}

/// The store at a URL, or in memory.
pub(super) async fn store(url: Option<&str>) -> anyhow::Result<AnyStore> {
    Ok(match url {
        None => AnyStore::new(memory()?),
        Some(url) if url.starts_with("postgres:") => {
            let store = PgStore::new(pool(url)?);
            store.migrate().await?;
            AnyStore::new(store)
        }
        Some(url) if url.starts_with("sqlite:") => {
            let store = SqliteStore::open(url.trim_start_matches("sqlite:"));
            store.migrate().await?;
            AnyStore::new(store)
        }
        Some(url) => AnyStore::new(RedisStore::new(url)?),
    })
}

/// The pool of an application, for its statements by hand as well. Without the ping at each acquire, which would make
/// what is done by hand slower than it has to be.
pub(super) fn pool(url: &str) -> anyhow::Result<PgPool> {
    let options = PgPoolOptions::new().test_before_acquire(false);
    Ok(options.max_connections(16).connect_lazy(url)?)
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
