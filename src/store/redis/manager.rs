use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::select_ok;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    connection::Connection, open::open, outage::Outage, place::Place, reign::Reign, version,
};

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
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(PIPELINE);
        Self {
            place,
            config,
            limit,
            outage,
        }
    }

    /// Opens a connection, and a second one beside it when the first takes long: its packets may have
    /// been lost, for which the system tries again only after a second.
    async fn open(&self, client: &Client, reign: Reign) -> RedisResult<Connection> {
        let mut first = Box::pin(self.open_once(client, reign.clone()));
        if let Ok(opened) = timeout(self.limit / 3, &mut first).await {
            return opened;
        }
        let second = Box::pin(self.open_once(client, reign));
        let (opened, _other) = select_ok([first, second]).await?;
        Ok(opened)
    }

    async fn open_once(&self, client: &Client, reign: Reign) -> RedisResult<Connection> {
        let redis = open(client, self.config.clone()).await?;
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
        let deadline = Instant::now() + self.limit;
        let client = by(deadline, self.place.client()).await;
        let (client, reign) = client.inspect_err(|err| self.outage.begins(err))?;
        let opened = by(deadline, self.open(&client, reign)).await;
        match &opened {
            Ok(_) => self.outage.ends(),
            // Sentinel or a cluster may have named a server that cannot be reached from here.
            Err(err) => {
                let at = client.get_connection_info().addr();
                self.outage.begins(&format_args!("{at}: {err}"));
            }
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

async fn by<T>(deadline: Instant, step: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = || RedisError::from((ErrorKind::Io, "the server did not answer in time"));
    timeout_at(deadline, step).await.map_err(|_| late())?
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Manager")
    }
}
