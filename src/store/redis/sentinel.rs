use std::sync::Arc;

use futures_util::future::select_ok;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    ServerErrorKind, Value, aio::MultiplexedConnection, cmd,
};

use super::{connection::Connection, lookout::Lookout, open::open, reign::Reign, url};

/// The host and port of a master.
pub(super) type Named = (String, u16);

/// Knows by Sentinel where the master is.
///
/// Not the redis crate's own: that goes through the sentinels with time limits of its own, which
/// are longer than a call may take, keeps connections to them that belong to one runtime, and opens
/// two to the master for one.
#[derive(Clone)]
pub(super) struct Sentinel {
    /// How to connect to the master. Its host is not known yet.
    master: ConnectionInfo,
    name: String,
    sentinels: Vec<Client>,
    lookout: Arc<Lookout>,
}

impl Sentinel {
    pub(super) fn new(name: String, master: ConnectionInfo, sentinels: Vec<Client>) -> Self {
        Self {
            master,
            name,
            sentinels,
            lookout: Arc::new(Lookout::new()),
        }
    }

    /// Asks all sentinels at once; who answers first is believed. One that has been cut off may
    /// name a former master, which is what [`confirm`](Self::confirm) finds out.
    pub(super) async fn master(&self) -> RedisResult<(Client, Reign)> {
        // First, so that no change is missed.
        let reign = self.lookout.reign(&self.sentinels, &self.name);
        let asked = self.sentinels.iter().map(|one| {
            Box::pin(async move {
                let mut connection = connect(one).await?;
                ask(&mut connection, &self.name).await
            })
        });
        let ((host, port), _others) = select_ok(asked).await?;
        let client = Client::open(url::at(&self.master, host, port))?;
        Ok((client, reign))
    }

    /// Asks a server whether it is a master. One that Sentinel has just named may not know it yet.
    pub(super) async fn confirm(connection: &mut Connection) -> RedisResult<()> {
        let answer = connection.send(&cmd("ROLE")).await;
        let role = match answer.and_then(Value::extract_error) {
            Ok(Value::Array(role)) => role.into_iter().next(),
            Ok(_) => None,
            // A user who may not ask relies on Sentinel.
            Err(err) if err.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => return Ok(()),
            Err(err) => return Err(err),
        };
        match role {
            Some(Value::BulkString(role)) if role == b"master" => Ok(()),
            _ => Err(RedisError::from((
                ErrorKind::Io,
                "the server that Sentinel names is not the master",
            ))),
        }
    }
}

/// Opens a connection to a sentinel. Who does so, and who asks, has a time limit for all of it.
pub(super) async fn connect(sentinel: &Client) -> RedisResult<MultiplexedConnection> {
    open(sentinel, AsyncConnectionConfig::new()).await
}

/// Asks a sentinel for the master of this name.
pub(super) async fn ask(sentinel: &mut MultiplexedConnection, name: &str) -> RedisResult<Named> {
    let mut question = cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let answer = sentinel.send_packed_command(&question).await?;
    match answer.extract_error()? {
        Value::Nil => Err(RedisError::from((
            ErrorKind::MasterNameNotFoundBySentinel,
            "Sentinel watches no master of this name",
            name.to_owned(),
        ))),
        answer => Ok(redis::from_redis_value(answer)?),
    }
}
