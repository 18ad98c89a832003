//! Connections to Redis as applications have them, other than in a pool of bb8.

use actix_web_idempotency::store::redis::redis::{
    Client, RedisError,
    aio::{ConnectionManager, MultiplexedConnection},
};
use deadpool_redis::{Config, PoolError, Runtime};
use futures_util::future::BoxFuture;

use super::redis::Redis;

/// Gives a connection for each call.
type Gives<C, E> = Box<dyn Fn() -> BoxFuture<'static, Result<C, E>> + Send + Sync>;

pub(crate) fn deadpool(redis: &Redis) -> Gives<MultiplexedConnection, PoolError> {
    let pool = Config::from_url(redis.url());
    let pool = pool.create_pool(Some(Runtime::Tokio1)).unwrap();
    Box::new(move || {
        let pool = pool.clone();
        Box::pin(async move {
            let lent = pool.get().await;
            lent.map(|connection| MultiplexedConnection::clone(&connection))
        })
    })
}

/// One connection that connects again when it is lost.
pub(crate) async fn manager(redis: &Redis) -> Gives<ConnectionManager, RedisError> {
    let client = Client::open(redis.url()).unwrap();
    let manager = ConnectionManager::new(client).await.unwrap();
    Box::new(move || {
        let manager = manager.clone();
        Box::pin(async move { Ok(manager) })
    })
}
