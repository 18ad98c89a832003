use futures_util::future::select_ok;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    ServerErrorKind, Value, cmd,
};

use super::{connection::Connection, open::open, url};

/// Knows by Sentinel where the master is, whenever somebody asks. It is not told of changes, see "How
/// it is built" in the documentation of the crate.
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
}

impl Sentinel {
    pub(super) fn new(name: String, master: ConnectionInfo, sentinels: Vec<Client>) -> Self {
        Self {
            master,
            name,
            sentinels,
        }
    }

    /// Asks all sentinels at once; who answers first is believed. One that has been cut off may
    /// name a former master, which is what [`confirm`](Self::confirm) finds out.
    pub(super) async fn master(&self) -> RedisResult<Client> {
        let asked = self.sentinels.iter().map(|one| Box::pin(self.ask(one)));
        let ((host, port), _others) = select_ok(asked).await?;
        Client::open(url::at(&self.master, host, port))
    }

    async fn ask(&self, sentinel: &Client) -> RedisResult<(String, u16)> {
        // Who opens a connection to the master has a time limit for all of this.
        let mut connection = open(sentinel, AsyncConnectionConfig::new()).await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        let answer = connection.send_packed_command(&question).await?;
        match answer.extract_error()? {
            Value::Nil => Err(RedisError::from((
                ErrorKind::MasterNameNotFoundBySentinel,
                "Sentinel watches no master of this name",
                self.name.clone(),
            ))),
            answer => Ok(redis::from_redis_value(answer)?),
        }
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
