use redis::{Cmd, RedisResult, ServerErrorKind, Value};
use tokio::time::{Instant, timeout_at};

use super::{
    RedisStore, Source,
    error::{from_redis, unexpected},
    script::Script,
};
use crate::store::{Held, StoreError, StoreKey};

impl RedisStore {
    /// By when an operation that begins now has to end, however many steps it takes.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// Sends one command.
    pub(super) async fn call(&self, cmd: &Cmd, deadline: Instant) -> Result<Reply, StoreError> {
        let _place = self.0.traffic.enter()?;
        match &self.0.source {
            Source::Own(own) => {
                let mut connection = own.connections.connection(deadline).await?;
                match timeout_at(deadline, connection.send(cmd)).await {
                    Ok(reply) => Reply::of(reply),
                    Err(_elapsed) => {
                        // The server may be stopped, or the network cut without a word. Opening
                        // the next connection finds out.
                        connection.give_up();
                        Err(StoreError::timeout())
                    }
                }
            }
            Source::Pool(pool) => {
                let mut connection = pool.connection(deadline, self.0.timeout).await?;
                match timeout_at(deadline, connection.req_packed_command(cmd)).await {
                    Ok(reply) => Reply::of(reply),
                    Err(_elapsed) => Err(StoreError::timeout()),
                }
            }
        }
    }

    /// Calls a script on one key. `arguments` appends what it takes.
    pub(super) async fn run(
        &self,
        script: &Script,
        key: &StoreKey,
        deadline: Instant,
        arguments: impl Fn(&mut Cmd),
    ) -> Result<Reply, StoreError> {
        let key = key.to_string();
        let mut call = script.by_hash(&key);
        arguments(&mut call);
        match self.call(&call, deadline).await? {
            Reply::NoScript => {
                let mut call = script.by_text(&key);
                arguments(&mut call);
                self.call(&call, deadline).await
            }
            reply => Ok(reply),
        }
    }
}

/// What came back, errors that are outcomes told apart from those that are not.
pub(super) enum Reply {
    Value(Value),
    /// The key holds something of another type.
    WrongType,
    /// The server does not know the script.
    NoScript,
}

impl Reply {
    pub(super) fn of(reply: RedisResult<Value>) -> Result<Self, StoreError> {
        match reply.and_then(Value::extract_error) {
            Ok(value) => Ok(Self::Value(value)),
            Err(err) if err.code() == Some("WRONGTYPE") => Ok(Self::WrongType),
            Err(err) if err.kind() == ServerErrorKind::NoScript.into() => Ok(Self::NoScript),
            Err(err) => Err(from_redis(err)),
        }
    }

    /// The answer of a script that says 1 when the claim was held.
    pub(super) fn held(self, script: &str) -> Result<Held, StoreError> {
        match self {
            Self::Value(Value::Int(1)) => Ok(Held::Yes),
            Self::Value(Value::Int(0)) | Self::WrongType => Ok(Held::Lost),
            reply => Err(reply.unexpected(script)),
        }
    }

    pub(super) fn unexpected(&self, command: &str) -> StoreError {
        match self {
            Self::Value(value) => unexpected(command, value),
            Self::WrongType => StoreError::unavailable(format!("{command}: WRONGTYPE")),
            Self::NoScript => StoreError::unavailable(format!("{command}: NOSCRIPT")),
        }
    }
}
