use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::{Mutex, Notify},
};

use super::postgres::Postgres;

/// A way to a PostgreSQL on which something happens once, at a message of a client. From [`arm`](Self::arm) on messages
/// are counted over all connections, from 0 on. New connections work.
pub(crate) struct Cutter {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Locked while a message is passed on, so that all connections stand still while something happens.
    trap: Mutex<Option<Trap>>,
    has_struck: AtomicBool,
}

struct Trap {
    messages_left: usize,
    side: Side,
    strike: BoxFuture<'static, Then>,
}

/// Whether the server has received the message at which something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection ends.
    Cut,
    GoOn,
}

impl Cutter {
    pub(crate) async fn to(port: u16) -> Self {
        let shared = Arc::<Shared>::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A server that is away refuses.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(connect(client, server, Arc::clone(&accepted)));
            }
        });
        Self { addr, shared }
    }

    pub(crate) fn url(&self) -> String {
        Postgres::url_at(self.addr.port())
    }

    /// Has something happen at a message.
    pub(crate) async fn arm(
        &self,
        at: usize,
        side: Side,
        strike: impl Future<Output = Then> + Send + 'static,
    ) {
        *self.shared.trap.lock().await = Some(Trap {
            messages_left: at,
            side,
            strike: Box::pin(strike),
        });
    }

    /// Whether it came to that message.
    pub(crate) fn has_struck(&self) -> bool {
        self.shared.has_struck.load(Ordering::SeqCst)
    }
}

/// Passes on what both sides send, until one of them ends or the way is cut.
async fn connect(client: TcpStream, server: TcpStream, shared: Arc<Shared>) {
    let is_cut = Notify::new();
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        _ = count(from_client, to_server, &shared, &is_cut) => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        () = is_cut.notified() => {}
    }
}

async fn count(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    shared: &Shared,
    is_cut: &Notify,
) -> std::io::Result<()> {
    // The first message has no letter.
    let first = message(&mut from, &[]).await?;
    to.write_all(&first).await?;
    loop {
        let letter = [from.read_u8().await?];
        let message = message(&mut from, &letter).await?;
        let mut trap = shared.trap.lock().await;
        let struck = match &mut *trap {
            Some(armed) if armed.messages_left == 0 => trap.take(),
            Some(armed) => {
                armed.messages_left -= 1;
                None
            }
            None => None,
        };
        let Some(Trap { side, strike, .. }) = struck else {
            to.write_all(&message).await?;
            continue;
        };
        shared.has_struck.store(true, Ordering::SeqCst);
        if side == Side::After {
            to.write_all(&message).await?;
        }
        if strike.await == Then::Cut {
            is_cut.notify_one();
            return Ok(());
        }
        if side == Side::Before {
            to.write_all(&message).await?;
        }
    }
}

/// Reads the rest of a message, of which the length counts itself.
async fn message(from: &mut tcp::OwnedReadHalf, letter: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut message = [letter, &length.to_be_bytes()].concat();
    let head = message.len();
    message.resize(letter.len() + length as usize, 0);
    from.read_exact(&mut message[head..]).await?;
    Ok(message)
}
