use std::fmt::Debug;

use bb8::{ManageConnection, Pool};
use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use tokio::sync::OnceCell;

use super::{error::from_redis, version};
use crate::store::StoreError;

/// A pool of the application's own, whatever it manages.
pub(super) trait ForeignPool: Send + Sync {
    fn connection(&self) -> BoxFuture<'_, Result<Box<dyn ConnectionLike + Send>, StoreError>>;
}

/// The pool, and whether its server has been found new enough.
pub(super) struct Checked<M: ManageConnection> {
    pool: Pool<M>,
    new_enough: OnceCell<()>,
}

impl<M: ManageConnection> Checked<M> {
    pub(super) fn new(pool: Pool<M>) -> Self {
        Self {
            pool,
            new_enough: OnceCell::new(),
        }
    }
}

impl<M> ForeignPool for Checked<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    fn connection(&self) -> BoxFuture<'_, Result<Box<dyn ConnectionLike + Send>, StoreError>> {
        Box::pin(async {
            let pooled = self.pool.get().await.map_err(|err| match err {
                bb8::RunError::User(err) => StoreError::unavailable(format!("{err:?}")),
                bb8::RunError::TimedOut => {
                    StoreError::unavailable("the pool had no connection in time")
                }
            })?;
            let mut connection = pooled.clone();
            drop(pooled);
            let ask =
                async { version::check(connection.req_packed_command(&version::question()).await) };
            (self.new_enough.get_or_try_init(|| ask).await).map_err(from_redis)?;
            Ok(Box::new(connection) as Box<dyn ConnectionLike + Send>)
        })
    }
}
