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
    channel_registry::ChannelRegistry,
    subscriber::{self, Order, Subscribed},
};
use crate::{runtime::background, store::redis::pool::Endpoint};

/// Tells who waits that a key has changed: one subscription connection per process and server,
/// whatever the number of keys and of those who wait. Channels are sharded, which on a cluster
/// keeps a publication on its node, and elsewhere makes no difference.
///
/// It is a help and no more. Who waits compares for itself after every notification, and looks by itself
/// now and then; a notification that is lost costs time, never correctness.
pub(crate) struct WakeUps {
    place: Endpoint,
    limit: Duration,
    watched: Arc<ChannelRegistry>,
    /// Where the subscriber takes its orders; it is started by the first watch.
    orders: OnceLock<mpsc::UnboundedSender<Order>>,
}

impl WakeUps {
    pub(crate) fn new(place: Endpoint, limit: Duration) -> Self {
        Self {
            place,
            limit,
            watched: Arc::default(),
            orders: OnceLock::new(),
        }
    }

    /// Whether a watch is one of these.
    pub(crate) fn has(&self, watch: &Watch) -> bool {
        Arc::ptr_eq(&self.watched, &watch.watched)
    }

    /// Begins to watch a channel. Wake-ups come from the next [`Watch::subscribe`] on.
    pub(crate) fn watch(&self, channel: &str) -> Watch {
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
pub(crate) struct Watch {
    channel: Arc<str>,
    changed: Arc<Notify>,
    limit: Duration,
    orders: mpsc::UnboundedSender<Order>,
    watched: Arc<ChannelRegistry>,
    /// The server has said no, and would say so again.
    refused: AtomicBool,
}

impl Watch {
    /// The next notification, counted from this call on.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Sees to it that notifications come; false when they cannot at the moment. Costs Redis nothing
    /// for a channel that is subscribed to, or that has been refused.
    pub(crate) async fn subscribe(&self) -> bool {
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

#[cfg(test)]
mod tests {
    use std::sync::{atomic::AtomicUsize, mpsc as blocking};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::watch,
        time::advance,
    };

    use super::*;
    use crate::{runtime::background::BackgroundHere, store::redis::wire};

    const LIMIT: Duration = Duration::from_secs(5);
    const CHANNEL: &str = "channel";

    /// Keeps the time where it is although all wait for a socket: while a blocking task runs, Tokio does
    /// not advance a paused clock by itself. After a minute it does, so that a test ends.
    struct Stopped {
        _until_dropped: blocking::Sender<()>,
    }

    impl Stopped {
        fn clock() -> Self {
            let (until_dropped, dropped) = blocking::channel::<()>();
            tokio::task::spawn_blocking(move || dropped.recv_timeout(Duration::from_secs(60)));
            Self {
                _until_dropped: until_dropped,
            }
        }
    }

    /// Speaks just enough of Redis' protocol to be subscribed to.
    struct Server {
        port: u16,
        connections: Arc<AtomicUsize>,
        /// It hangs up on new connections.
        is_away: Arc<AtomicBool>,
        hang_up: watch::Sender<()>,
    }

    impl Server {
        async fn start() -> Self {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let connections = Arc::<AtomicUsize>::default();
            let is_away = Arc::<AtomicBool>::default();
            let (count, away) = (Arc::clone(&connections), Arc::clone(&is_away));
            let hang_up = watch::Sender::new(());
            let ends = hang_up.subscribe();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    count.fetch_add(1, Ordering::SeqCst);
                    if away.load(Ordering::SeqCst) {
                        continue;
                    }
                    let mut ends = ends.clone();
                    ends.mark_unchanged();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = answer(stream) => {}
                            _ = ends.changed() => {}
                        }
                    });
                }
            });
            Self {
                port,
                connections,
                is_away,
                hang_up,
            }
        }

        fn connections(&self) -> usize {
            self.connections.load(Ordering::SeqCst)
        }

        /// Ends the connections that there are.
        fn hang_up(&self) {
            self.hang_up.send_replace(());
        }

        fn wake_ups(&self) -> WakeUps {
            let url = format!("redis://127.0.0.1:{}/", self.port);
            let server = wire::Server::new(&url, &Default::default(), &Default::default());
            WakeUps::new(Endpoint::Server(server.unwrap()), LIMIT)
        }
    }

    async fn answer(mut stream: TcpStream) {
        let mut said = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut said).await {
            let said = String::from_utf8_lossy(&said[..count]).into_owned();
            // A command is an array whose first string is its name.
            for command in said.split('*').filter(|command| !command.is_empty()) {
                let reply = match command.split("\r\n").nth(2) {
                    Some("HELLO") => "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n".to_owned(),
                    Some(name @ ("SSUBSCRIBE" | "SUNSUBSCRIBE")) => {
                        let (name, length) = (name.to_lowercase(), name.len());
                        format!(">3\r\n${length}\r\n{name}\r\n$7\r\n{CHANNEL}\r\n:1\r\n")
                    }
                    _ => "+OK\r\n".to_owned(),
                };
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Each then looks for itself, and subscribes anew.
    #[tokio::test(start_paused = true)]
    async fn all_who_wait_are_woken_at_once_when_the_subscription_is_lost() {
        let (_here, _clock) = (BackgroundHere::here(), Stopped::clock());
        let server = Server::start().await;
        let wake_ups = server.wake_ups();
        let (one, other) = (wake_ups.watch(CHANNEL), wake_ups.watch(CHANNEL));
        for connections in 1..=3 {
            let changes = (one.changed(), other.changed());
            assert!(one.subscribe().await && other.subscribe().await);
            assert_eq!(server.connections(), connections);
            server.hang_up();
            // No time passes, so nothing but the end of the connection can wake them.
            let woken = async { tokio::join!(changes.0, changes.1) };
            timeout(LIMIT, woken).await.expect("they are woken");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn server_that_could_not_be_reached_is_tried_again_within_a_second() {
        let (_here, _clock) = (BackgroundHere::here(), Stopped::clock());
        for _again in 0..5 {
            let server = Server::start().await;
            let wake_ups = server.wake_ups();
            let watch = wake_ups.watch(CHANNEL);
            server.is_away.store(true, Ordering::SeqCst);
            assert!(!watch.subscribe().await);
            server.is_away.store(false, Ordering::SeqCst);
            let tried = server.connections();
            advance(Duration::from_millis(499)).await;
            assert!(!watch.subscribe().await, "it is left alone for a while");
            assert_eq!(server.connections(), tried);
            advance(Duration::from_millis(501)).await;
            assert!(watch.subscribe().await);
            assert_eq!(server.connections(), tried + 1);
        }
    }
}
