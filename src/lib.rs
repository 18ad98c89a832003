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
pub use self::{
    api_lock::{ApiLock, ApiLockBuilder, ApiLockMiddleware, LockPayload},
    body::Body,
    config_error::ConfigError,
    fingerprint::Fingerprint,
    guarded_body::GuardedBody,
    request_view::RequestView,
};
