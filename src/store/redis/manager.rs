use std::{fmt, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, ErrorKind, RedisError};

use tokio::time::timeout;

use super::{connection::Connection, outage::Outage, place::Place, version};

/// How many commands may wait to be written. More than a worker has in flight: a full buffer
/// would make callers queue.
const PIPELINE: usize = 4096;

/// Opens connections for bb8 and tells it which are of no more use, without asking the server.
///
/// bb8-redis' own manager pings on every check-out and never calls a connection broken.
pub(super) struct Manager {
    place: Place,
    config: AsyncConnectionConfig,
    /// The most time for one connection, its handshake included.
    limit: Duration,
    outage: Arc<Outage>,
}

impl Manager {
    pub(super) fn new(place: Place, limit: Duration, outage: Arc<Outage>) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(PIPELINE);
        Self {
            place,
            config,
            limit,
            outage,
        }
    }

    async fn open(&self) -> Result<Connection, RedisError> {
        let (client, reign) = self.place.client().await?;
        let redis = client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await?;
        let mut connection = Connection::new(redis, reign);
        version::check(connection.send(&version::question()).await)?;
        self.place.confirm(&mut connection).await?;
        Ok(connection)
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = RedisError;

    async fn connect(&self) -> Result<Connection, RedisError> {
        let opened = match timeout(self.limit, self.open()).await {
            Ok(opened) => opened,
            Err(_elapsed) => Err(RedisError::from((
                ErrorKind::Io,
                "the server did not answer in time",
            ))),
        };
        match &opened {
            Ok(_) => self.outage.ends(),
            Err(err) => self.outage.begins(err),
        }
        opened
    }

    async fn is_valid(&self, connection: &mut Connection) -> Result<(), RedisError> {
        if connection.is_broken() {
            return Err(RedisError::from((ErrorKind::Io, "the connection broke")));
        }
        Ok(())
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken()
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Manager")
    }
}
