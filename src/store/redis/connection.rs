use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use redis::{Cmd, Pipeline, RedisError, RedisResult, Value, aio::MultiplexedConnection};

/// A connection that many calls share, and that knows when it is of no more use.
///
/// Clones are the same connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    redis: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(redis: MultiplexedConnection) -> Self {
        Self {
            redis,
            broken: Arc::default(),
        }
    }

    pub(super) async fn send(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let reply = self.redis.send_packed_command(cmd).await;
        self.judge(&reply);
        reply
    }

    /// Sends many at once, and returns a reply to each.
    pub(super) async fn send_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let replies = (self.redis)
            .send_packed_commands(commands, 0, commands.len())
            .await;
        self.judge(&replies);
        replies
    }

    fn judge<T>(&self, reply: &RedisResult<T>) {
        if reply
            .as_ref()
            .is_err_and(RedisError::is_unrecoverable_error)
        {
            self.give_up();
        }
    }

    /// The next call opens another connection. Calls under way on this one are not cut off.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}
