//! Many servers that share the keys.
//!
//! Not the redis crate's own routing. Measured on six nodes against redis 1.8.1, redis 2.0.0-rc.2, fred 10.1
//! and rustis 0.27, this is the only one that is safe, keeps the other shards going and follows the failover
//! of a frozen primary. Of redis 1.8.1:
//!
//! * By default a `SET NX` whose connection ends is sent nine times, and a lock then meets itself.
//!   With `retries(0)` no redirection is followed either.
//! * A refresh of the slots, which any `MOVED` starts, stops the calls to all shards until a frozen node
//!   has timed out.
//! * A time-out never starts a refresh: a frozen primary was not followed in 20 s. Here it takes 3.8 s.
//!
//! Little is needed of it, since every operation is about one key.

mod layout;
mod node;
mod probes;
mod redirect;
mod slot;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::select_ok;
use redis::{Cmd, Pipeline, RedisResult, Value, cmd};
use tokio::time::{Instant, sleep, timeout_at};

pub(crate) use self::node::{Address, Node};
use self::{
    layout::{Layout, ranges_in},
    redirect::Redirect,
    slot::slot_of,
};
use crate::store::{
    StoreError,
    redis::wire::{Server, error::from_redis},
};

/// The least time between two questions about who serves what.
const PAUSE: Duration = Duration::from_millis(100);
/// Nodes that do not agree yet may send from one to the other. These are the pauses between the
/// tries that are made then; two redirections in a row are nothing unusual.
const BETWEEN_TRIES: [Duration; 7] = [
    Duration::ZERO,
    Duration::ZERO,
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
];

/// Sends each command to the node that serves its key.
pub(crate) struct Cluster {
    /// How to connect to a node, whatever its address.
    like: Server,
    limit: Duration,
    /// Those that are named in the settings, to begin with, and for when all others have gone.
    seeds: Vec<Arc<Node>>,
    /// Locked to take a copy, never across an await.
    layout: Mutex<Arc<Layout>>,
    /// A node has said or shown that it has changed.
    is_doubted: AtomicBool,
    /// Locked while somebody asks for it.
    next_question: tokio::sync::Mutex<Question>,
}

/// The next question about who serves what.
struct Question {
    not_before: Instant,
    /// Why the last one was not answered.
    failed: Option<String>,
}

impl Cluster {
    /// By some of its nodes, the settings of the first of which are those of all. `None` when it
    /// is a socket, or there are none.
    pub(crate) fn new(nodes: &[Server], limit: Duration) -> Option<Self> {
        let like = nodes.first()?.clone();
        let seeds = nodes.iter().map(|node| {
            let (host, port) = node.address()?;
            Some(Arc::new(Node::new(Address::new(host, port), &like, limit)))
        });
        let seeds = seeds.collect::<Option<_>>()?;
        Some(Self {
            like,
            limit,
            seeds,
            layout: Mutex::default(),
            is_doubted: AtomicBool::new(false),
            next_question: tokio::sync::Mutex::new(Question {
                not_before: Instant::now(),
                failed: None,
            }),
        })
    }

    /// Sends a command about one key, and follows redirections.
    ///
    /// It is sent again here only when it has not been carried out: when a node has said so, or there
    /// was no connection to it. A connection that was lost is for the caller to judge.
    pub(crate) async fn send(
        &self,
        key: &str,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<RedisResult<Value>, StoreError> {
        let slot = slot_of(key.as_bytes());
        let mut node = self.owner(slot, deadline).await?;
        let mut asking = false;
        let mut pauses = BETWEEN_TRIES.into_iter();
        loop {
            let sent = match std::mem::take(&mut asking) {
                false => node.connections.send(cmd, deadline).await,
                true => ask_for(&node, cmd, deadline).await,
            };
            let redirect = match &sent {
                Ok(reply) => Redirect::parse(reply, &node.address),
                Err(err) if !err.may_have_run() => Some(Redirect::Lost),
                Err(_) => None,
            };
            let Some(redirect) = redirect else {
                self.learn_from(&sent);
                return sent;
            };
            match pauses.next() {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                Some(_) | None => return sent,
            }
            match redirect {
                Redirect::Moved(to) => {
                    self.doubt();
                    node = self.node(&to);
                }
                Redirect::Ask(to) => {
                    node = self.node(&to);
                    asking = true;
                }
                Redirect::Lost => {
                    self.doubt();
                    let layout = self.fresh(Some(&node), deadline).await;
                    match layout.ok().and_then(|layout| layout.owner(slot).cloned()) {
                        Some(other) if other.address != node.address => node = other,
                        Some(_) | None => return sent,
                    }
                }
            }
        }
    }

    /// Sends a command that is about no key to one node, once more if the connection is lost.
    pub(crate) async fn send_to(
        &self,
        node: &Node,
        cmd: &Cmd,
        deadline: Instant,
    ) -> Result<RedisResult<Value>, StoreError> {
        let sent = match node.connections.send(cmd, deadline).await {
            Err(err) if err.again_until().is_some() => node.connections.send(cmd, deadline).await,
            sent => sent,
        };
        self.learn_from(&sent);
        sent
    }

    /// A lost connection is often the first that is heard of a failover.
    fn learn_from(&self, sent: &Result<RedisResult<Value>, StoreError>) {
        if !matches!(sent, Ok(Ok(_))) {
            self.doubt();
        }
    }

    /// Who serves a key, as far as is known without asking.
    pub(crate) fn known_owner(&self, key: &str) -> Option<Arc<Node>> {
        self.layout().owner(slot_of(key.as_bytes())).cloned()
    }

    /// The primaries, in the order of their addresses.
    pub(crate) async fn primaries(&self, deadline: Instant) -> Result<Vec<Arc<Node>>, StoreError> {
        let layout = self.fresh(None, deadline).await?;
        Ok(layout.primaries().cloned().collect())
    }

    async fn owner(&self, slot: u16, deadline: Instant) -> Result<Arc<Node>, StoreError> {
        let layout = self.fresh(None, deadline).await?;
        layout.owner(slot).cloned().ok_or_else(|| {
            StoreError::unavailable("no node of the cluster is known to serve the key")
        })
    }

    fn layout(&self) -> Arc<Layout> {
        let layout = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&layout)
    }

    fn doubt(&self) {
        self.is_doubted.store(true, Ordering::Release);
    }

    /// The layout, asked for anew when it is in doubt. `cut_off` is not asked: it may be the one
    /// that has not heard of it.
    async fn fresh(
        &self,
        cut_off: Option<&Node>,
        deadline: Instant,
    ) -> Result<Arc<Layout>, StoreError> {
        let known = self.layout();
        if !known.is_empty() && !self.is_doubted.load(Ordering::Acquire) {
            return Ok(known);
        }
        let mut next_question = match self.next_question.try_lock() {
            Ok(next_question) => next_question,
            // Somebody asks. Who has something to go by does not wait for it.
            Err(_) if !known.is_empty() => return Ok(known),
            Err(_) => timeout_at(deadline, self.next_question.lock())
                .await
                .map_err(|_elapsed| {
                    let limit = self.limit;
                    StoreError::unavailable(format!("{NOBODY} within {limit:?}"))
                })?,
        };
        let known = self.layout();
        if Instant::now() < next_question.not_before {
            return match known.is_empty() {
                true => Err(next_question.unanswered()),
                false => Ok(known),
            };
        }
        next_question.not_before = Instant::now() + PAUSE;
        match self.ask(&known, cut_off, deadline).await {
            Ok(layout) => {
                let layout = Arc::new(layout);
                *self.layout.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&layout);
                self.is_doubted.store(false, Ordering::Release);
                next_question.failed = None;
                Ok(layout)
            }
            Err(err) if known.is_empty() => {
                next_question.failed = Some(err.to_string());
                Err(err)
            }
            Err(_) => Ok(known),
        }
    }

    /// Asks all nodes that are known; who answers first is believed.
    async fn ask(
        &self,
        known: &Layout,
        cut_off: Option<&Node>,
        deadline: Instant,
    ) -> Result<Layout, StoreError> {
        let nodes = known.primaries().chain(&self.seeds);
        let nodes =
            nodes.filter(|node| cut_off.is_none_or(|cut_off| node.address != cut_off.address));
        let mut asked: Vec<_> = nodes
            .map(|node| Box::pin(self.ask_one(node, deadline)))
            .collect();
        if asked.is_empty() {
            // There is but one.
            asked.extend(
                self.seeds
                    .iter()
                    .map(|node| Box::pin(self.ask_one(node, deadline))),
            );
        }
        let (ranges, _others) = select_ok(asked).await?;
        Ok(Layout::new(ranges, |address| self.node(address)))
    }

    async fn ask_one(
        &self,
        node: &Node,
        deadline: Instant,
    ) -> Result<Vec<(u16, u16, Address)>, StoreError> {
        let mut question = cmd("CLUSTER");
        question.arg("SLOTS");
        let answer = self.send_to(node, &question, deadline).await?;
        let ranges = answer.and_then(|answer| ranges_in(answer, &node.address));
        let ranges = ranges.map_err(from_redis)?;
        match ranges.is_empty() {
            true => Err(StoreError::unavailable(
                "a node of the cluster knows no other",
            )),
            false => Ok(ranges),
        }
    }

    /// What is at an address, with its connections, when it is known.
    fn node(&self, address: &Address) -> Arc<Node> {
        let layout = self.layout();
        let seed = || self.seeds.iter().find(|node| node.address == *address);
        match layout.at(address).or_else(seed) {
            Some(node) => Arc::clone(node),
            None => Arc::new(Node::new(address.clone(), &self.like, self.limit)),
        }
    }
}

const NOBODY: &str = "no node of the cluster can be reached";

impl Question {
    fn unanswered(&self) -> StoreError {
        StoreError::unavailable(match &self.failed {
            Some(reason) => format!("{NOBODY}, the last one: {reason}"),
            None => NOBODY.to_owned(),
        })
    }
}

/// Sends a command to a node that a slot is on its way to. Both in one piece, or a command of
/// another call might get in between and have the permission.
async fn ask_for(
    node: &Node,
    command: &Cmd,
    deadline: Instant,
) -> Result<RedisResult<Value>, StoreError> {
    let mut both = Pipeline::with_capacity(2);
    both.add_command(cmd("ASKING")).add_command(command.clone());
    let replies = node.connections.send_all(&both, deadline).await?;
    Ok(replies.map(|mut replies| replies.pop().unwrap_or(Value::Nil)))
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cluster")
    }
}
