use std::{
    slice,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::time::Instant;

use super::{error::is_lost, master_term::MasterTerm, open::Opened};

/// How long a connection is kept at least, whatever the server says over it. Where there is no
/// other master, every refused call would open a new one.
const AT_LEAST: Duration = Duration::from_millis(100);

/// A connection that many calls share, and that knows when it is of no more use.
///
/// Clones are the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    redis: Opened,
    state: Arc<State>,
}

/// What is known of a connection, apart from it, because who waits for a reply has borrowed it.
#[derive(Debug)]
pub(crate) struct State {
    server: String,
    opened: Instant,
    broken: AtomicBool,
    /// How many calls were answered. Counted instead of timed, because a clock costs more.
    replies: AtomicU64,
    master_term: MasterTerm,
}

impl Connection {
    /// `server` names it in errors.
    pub(crate) fn new(redis: Opened, master_term: MasterTerm, server: String) -> Self {
        Self {
            redis,
            state: Arc::new(State {
                server,
                opened: Instant::now(),
                broken: AtomicBool::new(false),
                replies: AtomicU64::new(0),
                master_term,
            }),
        }
    }

    pub(crate) async fn send(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let reply = self.redis.send_packed_command(cmd).await;
        self.judge(reply.as_ref().map(slice::from_ref));
        reply
    }

    /// Sends many at once, and returns a reply to each.
    pub(crate) async fn send_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let replies = (self.redis)
            .send_packed_commands(commands, 0, commands.len())
            .await;
        self.judge(replies.as_ref().map(Vec::as_slice));
        replies
    }

    fn judge(&self, replies: Result<&[Value], &RedisError>) {
        self.state.replies.fetch_add(1, Ordering::Relaxed);
        let is_over = match replies {
            Ok(replies) => replies.iter().any(|reply| match reply {
                Value::ServerError(err) => self.is_better_left(err.code()),
                _ => false,
            }),
            Err(err) => {
                is_lost(err)
                    || err.is_unrecoverable_error()
                    || err.code().is_some_and(|code| self.is_better_left(code))
            }
        };
        if is_over {
            self.state.give_up();
        }
    }

    fn is_better_left(&self, code: &str) -> bool {
        is_of_one_deposed(code) && self.state.opened.elapsed() >= AT_LEAST
    }

    /// Whether this is what is known of this connection.
    pub(crate) fn has(&self, state: &Arc<State>) -> bool {
        Arc::ptr_eq(&self.state, state)
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.state.broken.load(Ordering::Acquire) || self.state.master_term.is_over()
    }
}

impl State {
    /// The address of the server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// How many calls were answered so far. The same number twice says that nothing has come.
    pub(crate) fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    /// The next call opens another connection. Calls under way on this one are not cut off.
    pub(crate) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }
}

/// What a master says that has become a replica, or whose replicas have all left it, maybe for a new
/// one. The next connection leads to its successor, where Sentinel or the server's name knows it.
fn is_of_one_deposed(code: &str) -> bool {
    matches!(code, "READONLY" | "MASTERDOWN" | "NOREPLICAS")
}
