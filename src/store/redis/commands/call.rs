use futures_util::future::try_join_all;
use redis::{Cmd, RedisResult, ServerErrorKind, Value};
use tokio::time::Instant;

use super::{Backend, Commands, script::Script};
use crate::store::{
    Held, NewClaim, StoreError, StoreKey,
    redis::{
        cluster::Node,
        wire::error::{from_redis, unexpected},
    },
};

/// What becomes of a call whose connection ends or goes dead before the reply. It may have been
/// carried out by then, or be carried out later.
#[derive(Clone, Copy)]
pub(crate) enum IfLost<'a> {
    /// It fails, and its caller finds out what has happened.
    Fail,
    /// It is sent once more: carried out twice it does the same.
    Repeat,
    /// The same, for a claim, which is recognised by its token. That it was sent twice is noted,
    /// because it can be carried out a second time after its release.
    RepeatClaim(&'a NewClaim),
}

impl Commands {
    /// Sends one command about one key.
    pub(crate) async fn call(
        &self,
        key: &str,
        cmd: &Cmd,
        if_lost: IfLost<'_>,
        deadline: Instant,
    ) -> Result<ServerReply, StoreError> {
        let _place = self.call_limit.enter()?;
        self.send(key, cmd, if_lost, deadline).await
    }

    /// The same for one who has a place in the traffic.
    async fn send(
        &self,
        key: &str,
        cmd: &Cmd,
        if_lost: IfLost<'_>,
        deadline: Instant,
    ) -> Result<ServerReply, StoreError> {
        let lost = match self.send_once(key, cmd, deadline).await {
            Err(err) if err.again_until().is_some() => err,
            sent => return sent,
        };
        match if_lost {
            IfLost::Fail => return Err(lost),
            IfLost::Repeat => {}
            IfLost::RepeatClaim(claim) => claim.notes.sent_again(),
        }
        // Boxed, because it is rare.
        Box::pin(self.send_second(key, cmd, deadline)).await
    }

    /// The second try of a call whose first connection was lost.
    pub(crate) async fn send_second(
        &self,
        key: &str,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<ServerReply, StoreError> {
        let sent = self.send_once(key, cmd, deadline).await;
        sent.map_err(StoreError::of_second_try)
    }

    async fn send_once(
        &self,
        key: &str,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<ServerReply, StoreError> {
        match &self.source {
            Backend::Own(own) => ServerReply::parse(own.connections.send(cmd, deadline).await?),
            // Boxed, because it follows redirections, and would make every other call as large.
            Backend::Cluster(cluster) => {
                ServerReply::parse(Box::pin(cluster.send(key, cmd, deadline)).await?)
            }
            Backend::Pool(pool) => {
                let call_limit = &self.call_limit;
                ServerReply::parse(pool.send(cmd, deadline, call_limit).await?)
            }
        }
    }

    /// Sends a command that is about no key, and may run twice, to one server, in a cluster to this
    /// node.
    pub(crate) async fn call_at(
        &self,
        node: Option<&Node>,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<ServerReply, StoreError> {
        match (&self.source, node) {
            (Backend::Cluster(cluster), Some(node)) => {
                let _place = self.call_limit.enter()?;
                ServerReply::parse(cluster.send_to(node, cmd, deadline).await?)
            }
            _ => self.call("", cmd, IfLost::Repeat, deadline).await,
        }
    }

    /// Sends a command that is about no key, and may run twice, to each server that has keys.
    pub(crate) async fn call_each(
        &self,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<Vec<ServerReply>, StoreError> {
        let Backend::Cluster(cluster) = &self.source else {
            return Ok(vec![self.call("", cmd, IfLost::Repeat, deadline).await?]);
        };
        let _place = self.call_limit.enter()?;
        let nodes = cluster.primaries(deadline).await?;
        let replies = nodes
            .iter()
            .map(|node| cluster.send_to(node, cmd, deadline));
        let replies = try_join_all(replies).await?;
        replies.into_iter().map(ServerReply::parse).collect()
    }

    /// Calls a script on one key. `arguments` appends what it takes.
    pub(crate) async fn run(
        &self,
        script: &Script,
        key: &StoreKey,
        if_lost: IfLost<'_>,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<ServerReply, StoreError> {
        let deadline = self.deadline();
        self.run_by(deadline, script, key, if_lost, arguments).await
    }

    /// The same as a part of an operation.
    pub(crate) async fn run_by(
        &self,
        deadline: Instant,
        script: &Script,
        key: &StoreKey,
        if_lost: IfLost<'_>,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<ServerReply, StoreError> {
        let _place = self.call_limit.enter()?;
        self.run_in_place(script, key, if_lost, deadline, arguments)
            .await
    }

    /// The same for one who has a place in the traffic.
    pub(crate) async fn run_in_place(
        &self,
        script: &Script,
        key: &StoreKey,
        if_lost: IfLost<'_>,
        deadline: Instant,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<ServerReply, StoreError> {
        let key = key.to_text();
        let mut call = script.by_hash(&key);
        arguments(&mut call);
        match self.send(&key, &call, if_lost, deadline).await? {
            ServerReply::NoScript => {
                let mut call = script.by_text(&key);
                arguments(&mut call);
                self.send(&key, &call, if_lost, deadline).await
            }
            reply => Ok(reply),
        }
    }
}

/// What came back, errors that are outcomes told apart from those that are not.
pub(crate) enum ServerReply {
    Value(Value),
    /// The key holds something of another type.
    WrongType,
    /// The server does not know the script.
    NoScript,
}

impl ServerReply {
    pub(crate) fn parse(reply: RedisResult<Value>) -> Result<Self, StoreError> {
        match reply.and_then(Value::extract_error) {
            Ok(value) => Ok(Self::Value(value)),
            Err(err) if err.code() == Some("WRONGTYPE") => Ok(Self::WrongType),
            Err(err) if err.kind() == ServerErrorKind::NoScript.into() => Ok(Self::NoScript),
            Err(err) => Err(from_redis(err)),
        }
    }

    /// The answer of a script that says 1 when the claim was held.
    pub(crate) fn held(self, script: &str) -> Result<Held, StoreError> {
        match self {
            Self::Value(Value::Int(1)) => Ok(Held::Yes),
            Self::Value(Value::Int(0)) | Self::WrongType => Ok(Held::Lost),
            reply => Err(reply.unexpected(script)),
        }
    }

    pub(crate) fn unexpected(&self, command: &str) -> StoreError {
        match self {
            Self::Value(value) => unexpected(command, value),
            Self::WrongType => StoreError::unavailable(format!("{command}: WRONGTYPE")),
            Self::NoScript => StoreError::unavailable(format!("{command}: NOSCRIPT")),
        }
    }
}
