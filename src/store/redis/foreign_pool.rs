use std::{fmt::Debug, sync::Arc, time::Duration};

use bb8::{ManageConnection, Pool, RunError};
use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use super::{error::from_redis, outage::Outage, traffic::Traffic, version};
use crate::store::StoreError;

/// A pool of the application's own, whatever it manages.
pub(super) trait ForeignPool: Send + Sync {
    /// A connection, by `deadline`; at once an error while the pool is known to have none.
    fn connection<'a>(
        &'a self,
        deadline: Instant,
        limit: Duration,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<Box<dyn ConnectionLike + Send>, StoreError>>;
}

/// The pool, and what is known of its server.
pub(super) struct Observed<M: ManageConnection> {
    pool: Pool<M>,
    outage: Outage,
    new_enough: OnceCell<()>,
}

impl<M: ManageConnection> Observed<M> {
    pub(super) fn new(pool: Pool<M>) -> Self {
        Self {
            pool,
            outage: Outage::default(),
            new_enough: OnceCell::new(),
        }
    }
}

impl<M> Observed<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    /// A clone, so that the pool has its connection back at once.
    async fn get(
        &self,
        deadline: Instant,
        traffic: &Arc<Traffic>,
    ) -> Result<M::Connection, String> {
        let pool = self.pool.clone();
        let mut get = Box::pin(async move { pool.get().await.map(|got| got.clone()) });
        match timeout_at(deadline, &mut get).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(RunError::User(err))) => return Err(format!("{err:?}")),
            Ok(Err(RunError::TimedOut)) => {}
            Err(_elapsed) => {
                // The pool may be asking a connection that the network has forgotten. Cut off it
                // would keep that one and ask it again; let go on it finds out. Until then it is
                // one of those who wait.
                let place = traffic.stay();
                drop(tokio::spawn(async move {
                    let _ = get.await;
                    drop(place);
                }));
            }
        }
        Err("the pool had no connection in time".to_owned())
    }
}

impl<M> ForeignPool for Observed<M>
where
    M: ManageConnection,
    M::Connection: ConnectionLike + Clone + Send + Sync + 'static,
    M::Error: Debug + Send + Sync + 'static,
{
    fn connection<'a>(
        &'a self,
        deadline: Instant,
        limit: Duration,
        traffic: &'a Arc<Traffic>,
    ) -> BoxFuture<'a, Result<Box<dyn ConnectionLike + Send>, StoreError>> {
        Box::pin(async move {
            self.outage.check(limit)?;
            let mut connection = match self.get(deadline, traffic).await {
                Ok(connection) => connection,
                Err(reason) => {
                    self.outage.begins(&reason);
                    return Err(StoreError::unavailable(reason));
                }
            };
            self.outage.ends();
            let ask = async {
                let question = version::question();
                match timeout_at(deadline, connection.req_packed_command(&question)).await {
                    Ok(answer) => version::check(answer).map_err(from_redis),
                    Err(_elapsed) => Err(StoreError::timeout()),
                }
            };
            self.new_enough.get_or_try_init(|| ask).await?;
            Ok(Box::new(connection) as Box<dyn ConnectionLike + Send>)
        })
    }
}
