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
    /// Subscribe to a channel, if that has not been done, and say when it is done. Dropped unsaid
    /// when it cannot be done.
    Subscribe(Arc<str>, oneshot::Sender<()>),
    Unsubscribe(Arc<str>),
}

type Orders = mpsc::UnboundedReceiver<Order>;

/// How long nobody tries again after the connection could not be opened. Meanwhile those who wait
/// look for themselves.
const PAUSE: Duration = Duration::from_secs(1);

/// Carries out orders until nobody can give any more. Connects at the first one.
pub(super) async fn run(
    client: Client,
    limit: Duration,
    watched: Arc<Watched>,
    mut orders: Orders,
) {
    let mut not_before = Instant::now();
    while let Some(order) = orders.recv().await {
        // Dropping an order says that it cannot be done.
        if matches!(order, Order::Unsubscribe(_)) || Instant::now() < not_before {
            continue;
        }
        match connect(&client, limit).await {
            Ok(connection) => {
                let mut subscriber = Subscriber {
                    limit,
                    subscribed: HashSet::new(),
                };
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

/// One connection's subscriptions.
struct Subscriber {
    limit: Duration,
    subscribed: HashSet<Arc<str>>,
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
                if !self.subscribed.contains(&channel) {
                    match timeout(self.limit, sink.subscribe(&*channel)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(err)) if err.kind() == NOT_ALLOWED => {
                            log::warn!("no wake-ups from Redis, waiting costs more: {err}");
                            return true;
                        }
                        Ok(Err(_)) | Err(_) => return false,
                    }
                    self.subscribed.insert(channel);
                }
                let _ = done.send(());
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
}

const NOT_ALLOWED: ErrorKind = ErrorKind::Server(ServerErrorKind::NoPerm);
