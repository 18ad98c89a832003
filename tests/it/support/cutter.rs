use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::Notify,
};

use super::postgres::Postgres;

/// A way to a PostgreSQL that is cut once, at a message of a client; messages are counted over all connections, from 0
/// on. New connections work.
pub(crate) struct Cutter {
    addr: SocketAddr,
    cut: Arc<Cut>,
}

struct Cut {
    at: usize,
    side: Side,
    counted: AtomicUsize,
}

/// Whether the server still receives the message at which the way is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Cutter {
    pub(crate) async fn on(postgres: &Postgres, at: usize, side: Side) -> Self {
        let cut = Arc::new(Cut {
            at,
            side,
            counted: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (port, shared) = (postgres.port(), Arc::clone(&cut));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(connect(client, server, Arc::clone(&shared)));
            }
        });
        Self { addr, cut }
    }

    pub(crate) fn url(&self) -> String {
        Postgres::url_at(self.addr.port())
    }

    /// Whether the way has been cut.
    pub(crate) fn has_cut(&self) -> bool {
        self.cut.counted.load(Ordering::SeqCst) > self.cut.at
    }
}

/// Passes on what both sides send, until one of them ends or the way is cut.
async fn connect(client: TcpStream, server: TcpStream, cut: Arc<Cut>) {
    let is_cut = Notify::new();
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        _ = count(from_client, to_server, &cut, &is_cut) => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        () = is_cut.notified() => {}
    }
}

async fn count(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    cut: &Cut,
    is_cut: &Notify,
) -> std::io::Result<()> {
    // The first message has no letter.
    let first = message(&mut from, &[]).await?;
    to.write_all(&first).await?;
    loop {
        let letter = [from.read_u8().await?];
        let message = message(&mut from, &letter).await?;
        let number = cut.counted.fetch_add(1, Ordering::SeqCst);
        if number == cut.at && cut.side == Side::Before {
            is_cut.notify_one();
            return Ok(());
        }
        to.write_all(&message).await?;
        if number == cut.at {
            is_cut.notify_one();
            return Ok(());
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
