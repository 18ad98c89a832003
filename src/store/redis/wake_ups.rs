use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use redis::Client;
use tokio::{
    sync::{Notify, futures::Notified, mpsc, oneshot},
    time::timeout,
};

use super::subscriber;
use crate::background;

/// Tells who waits that a key has changed: one subscription connection per process, whatever the
/// number of keys and of those who wait.
///
/// It is a help and no more. Who waits compares for itself after every wake-up, and looks by itself
/// now and then; a wake-up that is lost costs time, never correctness.
pub(super) struct WakeUps {
    client: Client,
    limit: Duration,
    watched: Arc<Watched>,
    /// Where the subscriber takes its orders; it is started by the first watch.
    orders: OnceLock<mpsc::UnboundedSender<Order>>,
}

/// What the subscriber is told to do.
pub(super) enum Order {
    /// Subscribe to a channel, if that has not been done, and say when it is done. Dropped unsaid
    /// when it cannot be done.
    Subscribe(Arc<str>, oneshot::Sender<()>),
    Unsubscribe(Arc<str>),
}

/// The channels that somebody watches. Locked to look one up, never across an await.
#[derive(Default)]
pub(super) struct Watched(Mutex<HashMap<Arc<str>, Channel>>);

struct Channel {
    changed: Arc<Notify>,
    watches: usize,
}

impl WakeUps {
    pub(super) fn new(client: Client, limit: Duration) -> Self {
        Self {
            client,
            limit,
            watched: Arc::default(),
            orders: OnceLock::new(),
        }
    }

    /// Begins to watch a channel. Wake-ups come from the next [`Watch::subscribe`] on.
    pub(super) fn watch(&self, channel: &str) -> Watch {
        let orders = self.orders.get_or_init(|| {
            let (orders, received) = mpsc::unbounded_channel();
            let watched = Arc::clone(&self.watched);
            let client = self.client.clone();
            background::spawn(subscriber::run(client, self.limit, watched, received));
            orders
        });
        let channel: Arc<str> = channel.into();
        let mut channels = self.watched.lock();
        let entry = channels
            .entry(Arc::clone(&channel))
            .or_insert_with(|| Channel {
                changed: Arc::default(),
                watches: 0,
            });
        entry.watches += 1;
        Watch {
            changed: Arc::clone(&entry.changed),
            channel,
            limit: self.limit,
            orders: orders.clone(),
            watched: Arc::clone(&self.watched),
        }
    }
}

impl Watched {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Channel>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self, channel: &str) {
        if let Some(channel) = self.lock().get(channel) {
            channel.changed.notify_waiters();
        }
    }

    /// After a lost connection: anything may have changed.
    pub(super) fn wake_all(&self) {
        for channel in self.lock().values() {
            channel.changed.notify_waiters();
        }
    }
}

/// Watches one channel, until it is dropped.
pub(super) struct Watch {
    channel: Arc<str>,
    changed: Arc<Notify>,
    limit: Duration,
    orders: mpsc::UnboundedSender<Order>,
    watched: Arc<Watched>,
}

impl Watch {
    /// The next wake-up, counted from this call on.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Sees to it that wake-ups come; false when they cannot at the moment. Costs Redis nothing
    /// for a channel that is subscribed to.
    pub(super) async fn subscribe(&self) -> bool {
        let (done, is_done) = oneshot::channel();
        let order = Order::Subscribe(Arc::clone(&self.channel), done);
        if self.orders.send(order).is_err() {
            return false;
        }
        matches!(timeout(self.limit, is_done).await, Ok(Ok(())))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut channels = self.watched.lock();
        let Some(entry) = channels.get_mut(&self.channel) else {
            return;
        };
        entry.watches -= 1;
        if entry.watches == 0 {
            channels.remove(&self.channel);
            // Under the lock, so that it stands before the orders of a watch that begins now.
            let _ = self
                .orders
                .send(Order::Unsubscribe(Arc::clone(&self.channel)));
        }
    }
}

impl fmt::Debug for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WakeUps")
    }
}
