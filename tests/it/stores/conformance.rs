//! All stores keep the contract, also through `Arc` and `AnyStore`, and through a pool of the application's own.

use std::{future::ready, sync::Arc};

use actix_web_idempotency::{
    AnyStore, MemoryStore, RedisStore,
    store::{
        Store, conformance,
        redis::{
            bb8,
            bb8_redis::RedisConnectionManager,
            redis::{Client, RedisError},
        },
    },
    testing::{BackgroundHere, FaultyStore},
};

use crate::support::{
    GENEROUS,
    connections::{deadpool, manager},
    postgres::PostgresTable,
    redis::Redis,
    sqlite::SqliteFile,
};

#[tokio::test(start_paused = true)]
async fn memory() {
    let _here = BackgroundHere::here();
    conformance::check(&MemoryStore::new()).await;
    conformance::check(&Arc::new(MemoryStore::new())).await;
    conformance::check(&AnyStore::new(MemoryStore::new())).await;
    conformance::check_inspect(&MemoryStore::new()).await;
    conformance::check_inspect(&Arc::new(MemoryStore::new())).await;
    conformance::check_inspect(&AnyStore::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn redis() {
    let redis = Redis::start();
    conformance::check(&redis.store()).await;
    conformance::check(&Arc::new(redis.store())).await;
    conformance::check_inspect(&redis.store()).await;
    conformance::check_inspect(&Arc::new(redis.store())).await;
    conformance::check(&AnyStore::new(redis.store())).await;
    conformance::check_inspect(&AnyStore::new(redis.store())).await;
}

#[tokio::test]
async fn redis_over_a_unix_socket() {
    let redis = Redis::start();
    let store = RedisStore::builder(redis.unix_url()).timeout(GENEROUS);
    let store = store.build().unwrap();
    conformance::check(&store).await;
}

#[tokio::test]
async fn redis_with_a_pool_of_the_application() {
    let redis = Redis::start();
    let manager = RedisConnectionManager::new(redis.url()).unwrap();
    let pool = bb8::Pool::builder().build(manager).await.unwrap();
    let store = RedisStore::pool_builder(pool).timeout(GENEROUS);
    let store = store.build().unwrap();
    conformance::check(&store).await;
    conformance::check_inspect(&store).await;
}

#[tokio::test]
async fn redis_over_connections_of_the_application() {
    let redis = Redis::start();
    let store = RedisStore::connections_builder(deadpool(&redis)).timeout(GENEROUS);
    let store = store.build().unwrap();
    conformance::check(&store).await;
    conformance::check_inspect(&store).await;
    let store = RedisStore::connections_builder(manager(&redis).await).timeout(GENEROUS);
    conformance::check(&store.build().unwrap()).await;
    let client = Client::open(redis.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let store =
        RedisStore::from_connections(move || ready(Ok::<_, RedisError>(connection.clone())));
    conformance::check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_on_a_runtime_with_two_threads() {
    let redis = Redis::start();
    conformance::check(&redis.store()).await;
}

#[tokio::test]
async fn postgres() {
    let store = PostgresTable::new().await.store;
    conformance::check(&store).await;
    conformance::check(&Arc::new(store.clone())).await;
    conformance::check(&AnyStore::new(store.clone())).await;
    conformance::check_inspect(&store).await;
    conformance::check_inspect(&Arc::new(store.clone())).await;
    conformance::check_inspect(&AnyStore::new(store)).await;
}

#[tokio::test]
async fn sqlite() {
    // That of the process has the work of all tests at once.
    let _here = BackgroundHere::here();
    let file = SqliteFile::new().await;
    conformance::check(&file.store).await;
    conformance::check_inspect(&AnyStore::new(file.another_store())).await;
}

#[tokio::test]
async fn completion_in_a_transaction_is_passed_on_by_every_wrapper() {
    let store = PostgresTable::new().await.store;
    let own = store.completion();
    assert!(own.is_some());
    assert_eq!(Arc::new(store.clone()).completion(), own);
    assert_eq!(AnyStore::new(store.clone()).completion(), own);
    assert_eq!(FaultyStore::new(store).completion(), own);
    assert_eq!(AnyStore::new(MemoryStore::new()).completion(), None);
    assert_eq!(Redis::start().store().completion(), None);
}
