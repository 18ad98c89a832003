use std::fmt::Debug;

use bb8::{ManageConnection, Pool, RunError};
use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;

/// Where connections of the application come from. Errors are told as text: they are of any type.
pub(crate) trait Source: Send + Sync + 'static {
    type Connection: ConnectionLike + Clone + Send + Sync + 'static;

    /// Gets a connection; none when it has none to give within its own time limit.
    fn get(&self) -> BoxFuture<'static, Result<Option<Self::Connection>, String>>;

    /// Gets one beside those that it gives.
    fn spare(&self) -> BoxFuture<'static, Result<Self::Connection, String>>;
}

/// Gives a clone, so that the pool has its connection back at once.
impl<M> Source for Pool<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    type Connection = M::Connection;

    fn get(&self) -> BoxFuture<'static, Result<Option<M::Connection>, String>> {
        let pool = self.clone();
        Box::pin(async move {
            match pool.get().await {
                Ok(connection) => Ok(Some(connection.clone())),
                Err(RunError::User(err)) => Err(format!("{err:?}")),
                Err(RunError::TimedOut) => Ok(None),
            }
        })
    }

    fn spare(&self) -> BoxFuture<'static, Result<M::Connection, String>> {
        let pool = self.clone();
        Box::pin(async move {
            let connection = pool.dedicated_connection().await;
            connection.map_err(|err| format!("{err:?}"))
        })
    }
}

/// A closure of the application.
pub(crate) struct FromFn<F>(pub(crate) F);

impl<F, G, C, E> Source for FromFn<F>
where
    F: Fn() -> G + Send + Sync + 'static,
    G: Future<Output = Result<C, E>> + Send + 'static,
    C: ConnectionLike + Clone + Send + Sync + 'static,
    E: Debug,
{
    type Connection = C;

    fn get(&self) -> BoxFuture<'static, Result<Option<C>, String>> {
        let connection = (self.0)();
        Box::pin(async move { connection.await.map(Some).map_err(|err| format!("{err:?}")) })
    }

    fn spare(&self) -> BoxFuture<'static, Result<C, String>> {
        let connection = (self.0)();
        Box::pin(async move { connection.await.map_err(|err| format!("{err:?}")) })
    }
}
