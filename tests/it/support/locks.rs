use actix_web_idempotency::{
    ApiLock, MemoryStore, RequestView, api_lock::ApiLockBuilder, store::Store,
};
use serde_json::{Value, json};

use super::redis::Redis;

/// The payload of most tests.
pub(crate) fn payload(req: &RequestView<'_>) -> Value {
    json!({ "path": req.path(), "query": req.query_string(), "body": req.body() })
}

pub(crate) fn lock_on(store: impl Store) -> ApiLockBuilder {
    ApiLock::builder(store, payload)
}

pub(crate) fn memory_lock() -> ApiLock {
    lock_on(MemoryStore::new()).build().unwrap()
}

/// The same lock on each store: what holds for one must hold for the other.
pub(crate) fn on_each_store(redis: &Redis) -> [ApiLockBuilder; 2] {
    [lock_on(MemoryStore::new()), lock_on(redis.store())]
}
