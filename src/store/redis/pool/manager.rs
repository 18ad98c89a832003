use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::select_ok;
use redis::AsyncConnectionConfig;
use tokio::time::timeout;

use super::{circuit_breaker::CircuitBreaker, endpoint::Endpoint};
use crate::store::redis::wire::{Connection, Limit, MasterTerm, OpenError, Server, open, version};

/// How many commands may wait to be written. More than a worker has in flight: a full buffer
/// would make callers queue.
const PIPELINE: usize = 4096;

/// Opens connections for bb8 and tells it which are of no more use, without asking the server.
///
/// bb8-redis' own manager pings on every check-out and never calls a connection broken.
pub(crate) struct Manager {
    place: Endpoint,
    config: AsyncConnectionConfig,
    /// The most time for one connection, its handshake included.
    limit: Duration,
    breaker: Arc<CircuitBreaker>,
}

impl Manager {
    pub(crate) fn new(place: Endpoint, limit: Duration, breaker: Arc<CircuitBreaker>) -> Self {
        let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(PIPELINE);
        Self {
            place,
            config,
            limit,
            breaker,
        }
    }

    /// Opens a connection, and a second one beside it when the first takes long: its packets may have
    /// been lost, for which the system tries again only after a second.
    async fn open(
        &self,
        server: &Server,
        master_term: MasterTerm,
        limit: Limit,
    ) -> Result<Connection, OpenError> {
        let mut first = Box::pin(self.open_once(server, master_term.clone(), limit));
        if let Ok(opened) = timeout(self.limit / 3, &mut first).await {
            return opened;
        }
        let second = Box::pin(self.open_once(server, master_term, limit));
        let (opened, _other) = select_ok([first, second]).await?;
        Ok(opened)
    }

    async fn open_once(
        &self,
        server: &Server,
        master_term: MasterTerm,
        limit: Limit,
    ) -> Result<Connection, OpenError> {
        let redis = open(server, self.config.clone(), limit).await?;
        let mut connection = Connection::new(redis, master_term, server.to_string());
        let hello = async { version::check(connection.send(&version::question()).await) };
        limit.step("HELLO at", server, hello).await?;
        self.place.confirm(&mut connection, limit).await?;
        Ok(connection)
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = OpenError;

    async fn connect(&self) -> Result<Connection, OpenError> {
        // A little less than a call has, so that the call that waits for this hears the reason.
        let limit = Limit::after(self.limit - self.limit / 20);
        let opened = async {
            let (server, master_term) = self.place.server(limit).await?;
            self.open(&server, master_term, limit).await
        };
        let opened = opened.await;
        match &opened {
            Ok(_) => self.breaker.ends(),
            Err(err) => self.breaker.begins(err),
        }
        opened
    }

    async fn is_valid(&self, connection: &mut Connection) -> Result<(), OpenError> {
        if connection.is_broken() {
            return Err(OpenError::new("the connection broke"));
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
