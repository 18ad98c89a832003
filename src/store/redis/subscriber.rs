//! The task that holds the subscription connection.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use redis::{
    Client, ErrorKind, ProtocolVersion, RedisResult, ServerErrorKind,
    aio::{PubSub, PubSubSink},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::watched::Watched;

/// What the subscriber is told to do.
pub(super) enum Order {
    /// Subscribe to a channel, if that has not been done, and say what came of it. Dropped unsaid
    /// when the server cannot be asked.
    Subscribe(Arc<str>, oneshot::Sender<Subscribed>),
    Unsubscribe(Arc<str>),
}

/// What came of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subscribed {
    /// Wake-ups come.
    Yes,
    /// This user may not have them.
    Refused,
}

type Orders = mpsc::UnboundedReceiver<Order>;

/// How long nobody tries again after the connection could not be opened. Meanwhile those who wait
/// look for themselves.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection on which nothing has come for so long is asked whether it is still there: a network
/// can forget it without a word. Less than what passes between two looks of one who waits, so that
/// every such look finds out.
const QUIET: Duration = Duration::from_secs(4);

/// Carries out orders until nobody can give any more. Connects at the first one.
pub(super) async fn run(
    client: Client,
    limit: Duration,
    watched: Arc<Watched>,
    mut orders: Orders,
) {
    let mut not_before = Instant::now();
    let mut subscriber = Subscriber {
        limit,
        subscribed: HashSet::new(),
        heard: Instant::now(),
        was_refused: false,
    };
    while let Some(order) = orders.recv().await {
        // Dropping an order says that it cannot be done.
        if matches!(order, Order::Unsubscribe(_)) || Instant::now() < not_before {
            continue;
        }
        match connect(&client, limit).await {
            Ok(connection) => {
                subscriber.subscribed.clear();
                subscriber
                    .serve(connection, order, &watched, &mut orders)
                    .await;
                watched.wake_all();
            }
            Err(err) => {
                log::warn!("no wake-ups from Redis, waiting costs more: {err}");
                not_before = Instant::now() + PAUSE.mul_f64(rand::random_range(0.5..=1.0));
            }
        }
    }
}

async fn connect(client: &Client, limit: Duration) -> RedisResult<PubSub> {
    // Publications are only told apart from replies in the protocol that this type speaks.
    let info = client.get_connection_info().clone();
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP2);
    let client = Client::open(info.set_redis_settings(settings))?;
    match timeout(limit, client.get_async_pubsub()).await {
        Ok(connection) => connection,
        Err(_elapsed) => Err((ErrorKind::Io, "the server did not answer in time").into()),
    }
}

struct Subscriber {
    limit: Duration,
    /// On the connection that is open.
    subscribed: HashSet<Arc<str>>,
    /// When the server last said anything.
    heard: Instant,
    /// It is said once, not for every key.
    was_refused: bool,
}

impl Subscriber {
    /// Passes publications on and carries out orders, until the connection or the orders end.
    async fn serve(
        &mut self,
        connection: PubSub,
        first: Order,
        watched: &Watched,
        orders: &mut Orders,
    ) {
        let (mut sink, mut publications) = connection.split();
        if !self.carry_out(first, &mut sink).await {
            return;
        }
        loop {
            match select(pin!(orders.recv()), pin!(publications.next())).await {
                Either::Left((Some(order), _)) => {
                    if !self.carry_out(order, &mut sink).await {
                        return;
                    }
                }
                Either::Right((Some(publication), _)) => {
                    self.heard = Instant::now();
                    watched.wake(publication.get_channel_name());
                }
                Either::Left((None, _)) | Either::Right((None, _)) => return,
            }
        }
    }

    /// False when the connection is of no more use.
    async fn carry_out(&mut self, order: Order, sink: &mut PubSubSink) -> bool {
        match order {
            Order::Subscribe(channel, done) => {
                let Some(outcome) = self.subscribe(channel, sink).await else {
                    return false;
                };
                let _ = done.send(outcome);
                true
            }
            Order::Unsubscribe(channel) => {
                if !self.subscribed.remove(&channel) {
                    return true;
                }
                matches!(
                    timeout(self.limit, sink.unsubscribe(&*channel)).await,
                    Ok(Ok(()))
                )
            }
        }
    }

    /// `None` when the connection is of no more use.
    async fn subscribe(&mut self, channel: Arc<str>, sink: &mut PubSubSink) -> Option<Subscribed> {
        if self.subscribed.contains(&channel) && self.heard.elapsed() < QUIET {
            return Some(Subscribed::Yes);
        }
        match timeout(self.limit, sink.subscribe(&*channel)).await {
            Ok(Ok(())) => {
                self.heard = Instant::now();
                self.subscribed.insert(channel);
                Some(Subscribed::Yes)
            }
            Ok(Err(err)) if err.kind() == NOT_ALLOWED => {
                if !std::mem::replace(&mut self.was_refused, true) {
                    log::warn!("no wake-ups from Redis, waiting costs more: {err}");
                }
                Some(Subscribed::Refused)
            }
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

const NOT_ALLOWED: ErrorKind = ErrorKind::Server(ServerErrorKind::NoPerm);
