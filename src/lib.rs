//! Placeholder.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_lock;
mod background;
mod body;
mod body_reader;
mod canonical;
mod claim;
mod config_error;
mod fingerprint;
mod guarded_body;
mod hex;
pub mod problem;
mod request_view;
pub mod store;

#[cfg(feature = "test-util")]
pub use self::background::BackgroundHere;
#[cfg(feature = "memory")]
pub use self::store::memory::{MemoryStore, MemoryStoreBuilder};
#[cfg(feature = "redis")]
pub use self::store::redis::{RedisStore, RedisStoreBuilder};
pub use self::{
    api_lock::{ApiLock, ApiLockBuilder, ApiLockMiddleware, LockPayload},
    body::Body,
    config_error::ConfigError,
    fingerprint::Fingerprint,
    guarded_body::GuardedBody,
    request_view::RequestView,
};

#[cfg(feature = "redis")]
pub use ::{bb8, bb8_redis, redis};
