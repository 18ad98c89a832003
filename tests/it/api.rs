//! What an application can rely on in the types.

use actix_web_idempotency::{
    AnyStore, ApiLock, Claim, ConfigError, Fingerprint, Fingerprinting, Idempotency,
    IdempotencyKey, KeySource, MemoryStore, Recording, RedisStore, Scope, Waiting,
    api_lock::ApiLockBuilder,
    dedup::{DedupOutcome, Deduplicator, DeduplicatorBuilder, Execution},
    idempotency::{FencingError, IdempotencyBuilder, InvalidKey},
    problem::Problems,
    store::{Cursor, Inspect, NewClaim, Page, Store, StoreError, StoreErrorKind, StoreKey},
    testing::{Call, Fault, FaultyStore},
};
use static_assertions::assert_impl_all;

use crate::support::locks::memory_lock;

assert_impl_all!(ApiLock: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(ApiLockBuilder: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(Idempotency: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(IdempotencyBuilder: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(Deduplicator: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(DeduplicatorBuilder: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(Execution: Send, Sync, std::fmt::Debug);
assert_impl_all!(DedupOutcome: Send, Sync, std::fmt::Debug);
assert_impl_all!(Claim: Clone, Send, Sync, std::fmt::Debug, actix_web::FromRequest);
assert_impl_all!(IdempotencyKey: Clone, Send, Sync, Eq, std::hash::Hash, actix_web::FromRequest);
assert_impl_all!(Scope: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(KeySource: Clone, Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(Fingerprinting: Clone, Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(Recording: Clone, Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(Waiting: Copy, Send, Sync, From<std::time::Duration>, std::fmt::Debug);
assert_impl_all!(Problems: Clone, Send, Sync, Default, std::fmt::Debug);
assert_impl_all!(FencingError: std::error::Error, actix_web::ResponseError, Send, Sync);
assert_impl_all!(InvalidKey: std::error::Error, Send, Sync, Copy);
assert_impl_all!(MemoryStore: Clone, Send, Sync, Default, Store, Inspect);
assert_impl_all!(RedisStore: Clone, Send, Sync, Store, Inspect);
assert_impl_all!(AnyStore: Clone, Send, Sync, Store, Inspect, std::fmt::Debug);
assert_impl_all!(Page: Clone, Send, Sync, std::fmt::Debug);
assert_impl_all!(Cursor: Clone, Send, Sync, std::fmt::Debug, Eq);
assert_impl_all!(StoreError: std::error::Error, Send, Sync);
assert_impl_all!(ConfigError: std::error::Error, Send, Sync, Clone);
assert_impl_all!(Fingerprint: Copy, Send, Sync, std::hash::Hash, Eq);

#[test]
fn errors_pass_through_the_question_mark_of_an_actix_main() {
    fn config() -> std::io::Result<()> {
        RedisStore::new("nonsense")?;
        Ok(())
    }
    fn store() -> std::io::Result<()> {
        Err(StoreError::timeout())?
    }
    assert_eq!(
        config().unwrap_err().kind(),
        std::io::ErrorKind::InvalidInput
    );
    assert_eq!(store().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_store_error_says_what_a_caller_can_act_on() {
    let refused = StoreError::unavailable("refused");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(!refused.may_have_run());
    assert!(StoreError::interrupted("reset").may_have_run());
    assert!(StoreError::timeout().may_have_run());
    assert_eq!(StoreError::timeout().kind(), StoreErrorKind::Timeout);
}

#[test]
fn debug_shows_no_secret() {
    let store = RedisStore::new("redis://ann:secret@127.0.0.1/").unwrap();
    let builder = RedisStore::builder("redis://ann:secret@127.0.0.1/");
    let lock = ApiLock::builder(store.clone(), |req| req.path().to_owned());
    let claim = NewClaim::lock(
        StoreKey::new("p:", [7; 32]),
        std::time::Duration::from_secs(1),
    );
    let token = claim.token.to_hex();
    let shown = format!(
        "{store:?} {builder:?} {lock:?} {claim:?} {:?} {:?}",
        claim.lease(),
        memory_lock()
    );
    assert!(
        !shown.contains("secret") && !shown.contains(&token),
        "{shown}"
    );
    assert!(shown.contains("p:0707"), "{shown}");
}

#[test]
fn store_behind_a_pointer_is_bounded_where_the_store_is() {
    const { assert!(<std::sync::Arc<MemoryStore> as Store>::IS_BOUNDED) };
    const { assert!(!<std::sync::Arc<FaultyStore<MemoryStore>> as Store>::IS_BOUNDED) };
    const { assert!(<AnyStore as Store>::IS_BOUNDED) };
}

#[tokio::test(start_paused = true)]
async fn any_store_ends_each_call_of_a_store_without_a_time_limit() {
    let store = FaultyStore::new(MemoryStore::new());
    let any = AnyStore::new(store.clone());
    let key = StoreKey::new("p:", [7; 32]);
    let claim = NewClaim::lock(key.clone(), std::time::Duration::from_secs(60));
    let nothing = Fault::NoAnswer { carried_out: false };
    store.next(Call::Begin, nothing);
    let begun = tokio::time::Instant::now();
    let err = any.begin(&claim).await.unwrap_err();
    assert_eq!(err.kind(), StoreErrorKind::Timeout);
    assert_eq!(begun.elapsed(), std::time::Duration::from_secs(10));
    any.begin(&claim).await.unwrap();
    assert!(any.look_up(&key).await.unwrap().is_some());
}
