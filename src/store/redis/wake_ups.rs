use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, futures::Notified, mpsc, oneshot},
    time::timeout,
};

use super::{
    place::Place,
    subscriber::{self, Order, Subscribed},
    watched::Watched,
};
use crate::background;

/// Tells who waits that a key has changed: one subscription connection per process and server,
/// whatever the number of keys and of those who wait. Channels are sharded, which on a cluster
/// keeps a publication on its node, and elsewhere makes no difference.
///
/// It is a help and no more. Who waits compares for itself after every wake-up, and looks by itself
/// now and then; a wake-up that is lost costs time, never correctness.
pub(super) struct WakeUps {
    place: Place,
    limit: Duration,
    watched: Arc<Watched>,
    /// Where the subscriber takes its orders; it is started by the first watch.
    orders: OnceLock<mpsc::UnboundedSender<Order>>,
}

impl WakeUps {
    pub(super) fn new(place: Place, limit: Duration) -> Self {
        Self {
            place,
            limit,
            watched: Arc::default(),
            orders: OnceLock::new(),
        }
    }

    /// Whether a watch is one of these.
    pub(super) fn has(&self, watch: &Watch) -> bool {
        Arc::ptr_eq(&self.watched, &watch.watched)
    }

    /// Begins to watch a channel. Wake-ups come from the next [`Watch::subscribe`] on.
    pub(super) fn watch(&self, channel: &str) -> Watch {
        let orders = self.orders.get_or_init(|| {
            let (orders, received) = mpsc::unbounded_channel();
            let watched = Arc::clone(&self.watched);
            let place = self.place.clone();
            background::spawn(subscriber::run(place, self.limit, watched, received));
            orders
        });
        let channel: Arc<str> = channel.into();
        Watch {
            changed: self.watched.add(&channel),
            channel,
            limit: self.limit,
            orders: orders.clone(),
            watched: Arc::clone(&self.watched),
            refused: AtomicBool::new(false),
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
    /// The server has said no, and would say so again.
    refused: AtomicBool,
}

impl Watch {
    /// The next wake-up, counted from this call on.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Sees to it that wake-ups come; false when they cannot at the moment. Costs Redis nothing
    /// for a channel that is subscribed to, or that has been refused.
    pub(super) async fn subscribe(&self) -> bool {
        if self.refused.load(Ordering::Relaxed) {
            return false;
        }
        let (done, is_done) = oneshot::channel();
        let order = Order::Subscribe(Arc::clone(&self.channel), done);
        if self.orders.send(order).is_err() {
            return false;
        }
        match timeout(self.limit, is_done).await {
            Ok(Ok(Subscribed::Yes)) => true,
            Ok(Ok(Subscribed::Refused)) => {
                self.refused.store(true, Ordering::Relaxed);
                false
            }
            Ok(Ok(Subscribed::Elsewhere)) | Ok(Err(_)) | Err(_) => false,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.remove(&self.channel, || {
            let _ = self
                .orders
                .send(Order::Unsubscribe(Arc::clone(&self.channel)));
        });
    }
}

impl fmt::Debug for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WakeUps")
    }
}
