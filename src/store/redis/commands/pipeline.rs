use futures_util::future::try_join_all;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::time::Instant;

use super::{
    Backend, Commands,
    call::{IfLost, ServerReply},
    script::Script,
};
use crate::store::{
    StoreError, StoreKey,
    redis::wire::error::{from_redis, unexpected},
};

impl Commands {
    /// Calls a script on each of some keys, in one trip. Only for a script that may run again: when
    /// the server turns out to have forgotten it on the way, all calls are repeated.
    pub(crate) async fn run_on_each(
        &self,
        script: &Script,
        keys: &[StoreKey],
        deadline: Instant,
    ) -> Result<Vec<ServerReply>, StoreError> {
        let _place = self.call_limit.enter()?;
        if let Backend::Cluster(_) = self.source {
            // Each may have moved to another node. Those for one node still share trips.
            let replies = keys.iter().map(|key| {
                self.run_in_place(script, key, IfLost::Repeat, deadline, |_no_arguments| {})
            });
            return try_join_all(replies).await;
        }
        let calls = pipeline(keys, |key| script.by_hash(key));
        let replies = self.call_all(&calls, deadline).await?;
        if !replies
            .iter()
            .any(|reply| matches!(reply, ServerReply::NoScript))
        {
            return Ok(replies);
        }
        let calls = pipeline(keys, |key| script.by_text(key));
        self.call_all(&calls, deadline).await
    }

    /// Sends many commands over one connection, so that a pool of the application's own is not
    /// drained for them. Not as a transaction: other commands may come in between. All once more when
    /// the connection is lost.
    async fn call_all(
        &self,
        calls: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<ServerReply>, StoreError> {
        let sent = match self.send_all_once(calls, deadline).await {
            Err(err) if err.again_until().is_some() => {
                Box::pin(self.send_all_once(calls, deadline)).await
            }
            sent => sent,
        }?;
        let replies = sent.map_err(from_redis)?;
        if replies.len() != calls.len() {
            return Err(unexpected("a pipeline", &Value::Array(replies)));
        }
        replies
            .into_iter()
            .map(|reply| ServerReply::parse(Ok(reply)))
            .collect()
    }

    async fn send_all_once(
        &self,
        calls: &Pipeline,
        deadline: Instant,
    ) -> Result<RedisResult<Vec<Value>>, StoreError> {
        match &self.source {
            Backend::Own(own) => own.connections.send_all(calls, deadline).await,
            Backend::Cluster(_) => Err(StoreError::unavailable("a cluster takes no pipelines")),
            Backend::Pool(pool) => pool.send_all(calls, deadline, &self.call_limit).await,
        }
    }
}

fn pipeline(keys: &[StoreKey], call: impl Fn(&str) -> Cmd) -> Pipeline {
    let mut calls = Pipeline::with_capacity(keys.len());
    for key in keys {
        calls.add_command(call(&key.to_string()));
    }
    calls
}
