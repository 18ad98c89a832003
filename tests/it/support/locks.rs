use actix_web_idempotency::{
    ApiLock, MemoryStore, RequestView, api_lock::ApiLockBuilder, store::Store,
};
use serde_json::{Value, json};

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
