//! The task that holds the subscription connection.

use std::{collections::HashSet, fmt, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, PushInfo, PushKind, RedisResult, ServerErrorKind, Value,
    cmd,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::channel_registry::ChannelRegistry;
use crate::{
    runtime::log,
    store::redis::{
        pool::Endpoint,
        wire::{Limit, MasterTerm, OpenError, Opened, open},
    },
};

/// What the subscriber is told to do.
pub(crate) enum Order {
    /// Subscribe to a channel, if that has not been done, and say what came of it. Dropped unsaid
    /// when the server cannot be asked.
    Subscribe(Arc<str>, oneshot::Sender<Subscribed>),
    Unsubscribe(Arc<str>),
}

/// What came of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subscribed {
    /// Wake-ups come.
    Yes,
    /// This user may not have them.
    Refused,
    /// The key is on another node of the cluster by now.
    Elsewhere,
}

type Orders = mpsc::UnboundedReceiver<Order>;
type Pushes = mpsc::UnboundedReceiver<PushInfo>;

/// How long nobody tries again after the connection could not be opened. Meanwhile those who wait
/// look for themselves.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection on which nothing has come for so long is asked whether it is still there: a network
/// can forget it without a word. Less than what passes between two looks of one who waits, so that
/// every such look finds out.
const QUIET: Duration = Duration::from_secs(4);

/// Carries out orders until nobody can give any more. Connects at the first one.
pub(crate) async fn run(
    place: Endpoint,
    limit: Duration,
    watched: Arc<ChannelRegistry>,
    mut orders: Orders,
) {
    let mut not_before = Instant::now();
    let mut subscriber = Subscriber {
        limit,
        subscribed: HashSet::new(),
        heard: Instant::now(),
        has_complained: false,
    };
    while let Some(order) = orders.recv().await {
        // Dropping an order says that it cannot be done.
        if matches!(order, Order::Unsubscribe(_)) || Instant::now() < not_before {
            continue;
        }
        match connect(&place, limit).await {
            Ok((connection, pushes, mut master_term)) => {
                subscriber.subscribed.clear();
                let serves =
                    pin!(subscriber.serve(connection, pushes, order, &watched, &mut orders));
                select(serves, pin!(master_term.ends())).await;
                watched.wake_all();
            }
            Err(err) => {
                subscriber.complain(&err);
                not_before = Instant::now() + PAUSE.mul_f64(rand::random_range(0.5..=1.0));
            }
        }
    }
}

async fn connect(
    place: &Endpoint,
    limit: Duration,
) -> Result<(Opened, Pushes, MasterTerm), OpenError> {
    let limit = Limit::after(limit);
    let (pushed, pushes) = mpsc::unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(pushed);
    let (server, master_term) = place.server(limit).await?;
    let opened = open(&server.with_pushes(), config, limit).await?;
    Ok((opened, pushes, master_term))
}

struct Subscriber {
    limit: Duration,
    /// On the connection that is open.
    subscribed: HashSet<Arc<str>>,
    /// When the server last said anything.
    heard: Instant,
    /// It is said once, not for every key or second.
    has_complained: bool,
}

impl Subscriber {
    /// Passes publications on and carries out orders, until the connection or the orders end.
    async fn serve(
        &mut self,
        mut connection: Opened,
        mut pushes: Pushes,
        first: Order,
        watched: &ChannelRegistry,
        orders: &mut Orders,
    ) {
        if !self.carry_out(first, &mut connection).await {
            return;
        }
        loop {
            // Pushes first: they speak of orders that have been carried out.
            match select(pin!(pushes.recv()), pin!(orders.recv())).await {
                Either::Left((Some(push), _)) => {
                    if !self.take(push, watched) {
                        return;
                    }
                }
                Either::Right((Some(order), _)) => {
                    if !self.carry_out(order, &mut connection).await {
                        return;
                    }
                }
                Either::Left((None, _)) | Either::Right((None, _)) => return,
            }
        }
    }

    /// False when the connection is of no more use.
    fn take(&mut self, push: PushInfo, watched: &ChannelRegistry) -> bool {
        self.heard = Instant::now();
        let channel = match push.data.first() {
            Some(Value::BulkString(channel)) => str::from_utf8(channel).ok(),
            _ => None,
        };
        match (push.kind, channel) {
            (PushKind::SMessage, Some(channel)) => {
                watched.wake(channel);
                true
            }
            // Nobody has asked for it: the key has moved to another node. Those who wait for it
            // have to hear of that, and the redis crate may take it for an answer.
            (PushKind::SUnsubscribe, Some(channel)) => !self.subscribed.contains(channel),
            (PushKind::Disconnection, _) => false,
            _ => true,
        }
    }

    /// False when the connection is of no more use.
    async fn carry_out(&mut self, order: Order, connection: &mut Opened) -> bool {
        match order {
            Order::Subscribe(channel, done) => {
                let Some(outcome) = self.subscribe(channel, connection).await else {
                    return false;
                };
                let _ = done.send(outcome);
                true
            }
            Order::Unsubscribe(channel) => {
                if !self.subscribed.remove(&channel) {
                    return true;
                }
                let reply = self.send("SUNSUBSCRIBE", &channel, connection).await;
                matches!(reply, Some(Ok(value)) if confirms(&value, &PushKind::SUnsubscribe, &channel))
            }
        }
    }

    /// `None` when the connection is of no more use.
    async fn subscribe(
        &mut self,
        channel: Arc<str>,
        connection: &mut Opened,
    ) -> Option<Subscribed> {
        if self.subscribed.contains(&channel) && self.heard.elapsed() < QUIET {
            return Some(Subscribed::Yes);
        }
        match self.send("SSUBSCRIBE", &channel, connection).await? {
            Ok(value) if confirms(&value, &PushKind::SSubscribe, &channel) => {
                self.heard = Instant::now();
                self.subscribed.insert(channel);
                self.has_complained = false;
                Some(Subscribed::Yes)
            }
            Err(err) if err.kind() == NOT_ALLOWED => {
                self.complain(&err);
                Some(Subscribed::Refused)
            }
            Err(err) if err.kind() == MOVED => Some(Subscribed::Elsewhere),
            Ok(_) | Err(_) => None,
        }
    }

    fn complain(&mut self, err: &dyn fmt::Display) {
        if !std::mem::replace(&mut self.has_complained, true) {
            log::warn!("no notifications from Redis; waiting duplicates poll: {err}");
        }
    }

    /// `None` when there is no answer in time.
    async fn send(
        &self,
        name: &str,
        channel: &str,
        connection: &mut Opened,
    ) -> Option<RedisResult<Value>> {
        let mut command: Cmd = cmd(name);
        command.arg(channel);
        let sent = timeout(self.limit, connection.send_packed_command(&command)).await;
        Some(sent.ok()?.and_then(Value::extract_error))
    }
}

/// Whether this is the answer. The redis crate takes it for one when the server unsubscribes a
/// channel by itself, and is then one behind.
fn confirms(value: &Value, expected: &PushKind, channel: &str) -> bool {
    let Value::Push { kind, data } = value else {
        return false;
    };
    let is_its_own =
        matches!(data.first(), Some(Value::BulkString(of)) if of == channel.as_bytes());
    kind == expected && is_its_own
}

const NOT_ALLOWED: ErrorKind = ErrorKind::Server(ServerErrorKind::NoPerm);
const MOVED: ErrorKind = ErrorKind::Server(ServerErrorKind::Moved);
