use redis::{Client, RedisResult};

use super::{connection::Connection, reign::Reign, sentinel::Sentinel};

/// Where connections lead. Asked whenever one is opened.
#[derive(Clone)]
pub(super) enum Place {
    /// To one server, wherever its name leads at the time.
    Server(Client),
    /// To the master that Sentinel names at the time.
    Sentinel(Sentinel),
}

impl Place {
    pub(super) async fn client(&self) -> RedisResult<(Client, Reign)> {
        match self {
            Self::Server(client) => Ok((client.clone(), Reign::endless())),
            Self::Sentinel(sentinel) => sentinel.master().await,
        }
    }

    /// Fails when the connection has led to the wrong place.
    pub(super) async fn confirm(&self, connection: &mut Connection) -> RedisResult<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Sentinel(_) => Sentinel::confirm(connection).await,
        }
    }
}
