//! Which server is the master, as the sentinels say.

mod watcher;

use std::{fmt, sync::Arc};

use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{
    AsyncConnectionConfig, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd,
};

use self::watcher::SentinelWatcher;
use crate::store::redis::wire::{Connection, Limit, MasterTerm, OpenError, Opened, Server, open};

/// The host and port of a master.
pub(crate) type Named = (String, u16);

/// Knows by Sentinel where the master is.
///
/// Not the redis crate's own client. With the sentinel frozen that is named first it needs 1.0 to 1.5 s,
/// where a call has 0.5 s. And after a failover by order its old connection confirms writes for 11 s, nearly
/// all of which are lost; [`SentinelWatcher`] ends that.
#[derive(Clone)]
pub(crate) struct Sentinel {
    /// How to connect to the master. Its host is not known yet.
    master: Server,
    name: String,
    sentinels: Vec<Server>,
    watcher: Arc<SentinelWatcher>,
}

impl Sentinel {
    pub(crate) fn new(name: String, master: Server, sentinels: Vec<Server>) -> Self {
        Self {
            master,
            name,
            sentinels,
            watcher: Arc::new(SentinelWatcher::new()),
        }
    }

    /// Asks all sentinels at once; who answers first is believed. One that has been cut off may
    /// name a former master, which is what [`confirm`](Self::confirm) finds out.
    pub(crate) async fn master(&self, limit: Limit) -> Result<(Server, MasterTerm), OpenError> {
        // First, so that no change is missed.
        let master_term = self.watcher.master_term(&self.sentinels, &self.name);
        let mut asked: FuturesUnordered<_> = (1..)
            .zip(&self.sentinels)
            .map(|(number, one)| async move { (number, ask_one(one, &self.name, limit).await) })
            .collect();
        let mut failed = Vec::new();
        while let Some((number, answer)) = asked.next().await {
            match answer {
                Ok((host, port)) => return Ok((self.master.at(host, port), master_term)),
                Err(err) => failed.push((number, err)),
            }
        }
        failed.sort_by_key(|(number, _err)| *number);
        let count = self.sentinels.len();
        let failed = (failed.iter()).map(|(number, err): &(usize, _)| {
            format!("asking sentinel {number} of {count}: {err}")
        });
        Err(OpenError::new(failed.collect::<Vec<_>>().join("; ")))
    }

    /// Asks a server whether it is a master. One that Sentinel has just named may not know it yet.
    pub(crate) async fn confirm(
        connection: &mut Connection,
        limit: Limit,
    ) -> Result<(), OpenError> {
        let state = connection.state();
        let confirmed = is_master(connection);
        limit.step("ROLE at", state.server(), confirmed).await
    }
}

impl fmt::Display for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the master {:?} of Sentinel", self.name)
    }
}

async fn is_master(connection: &mut Connection) -> RedisResult<()> {
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

async fn ask_one(sentinel: &Server, name: &str, limit: Limit) -> Result<Named, OpenError> {
    let mut connection = connect(sentinel, limit).await?;
    let asked = ask(&mut connection, name);
    (limit.step("SENTINEL GET-MASTER-ADDR-BY-NAME at", sentinel, asked)).await
}

/// Opens a connection to a sentinel.
pub(crate) async fn connect(sentinel: &Server, limit: Limit) -> Result<Opened, OpenError> {
    open(sentinel, AsyncConnectionConfig::new(), limit).await
}

/// Asks a sentinel for the master of this name. The caller has a time limit.
pub(crate) async fn ask(sentinel: &mut Opened, name: &str) -> RedisResult<Named> {
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
