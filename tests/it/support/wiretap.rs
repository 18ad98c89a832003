use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp},
};

use super::postgres::Postgres;

/// A way to a PostgreSQL on which it is counted what clients send. It needs a runtime that is not blocked.
pub(crate) struct Wiretap {
    addr: SocketAddr,
    counts: Arc<Mutex<Counts>>,
}

/// What clients have sent, see <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) statements: usize,
    /// Those that something was asked in. A pool of sqlx also synchronises each connection that comes back.
    pub(crate) round_trips: usize,
}

impl Wiretap {
    pub(crate) async fn on(postgres: &Postgres) -> Self {
        let counts = Arc::<Mutex<Counts>>::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (port, counted) = (postgres.port(), Arc::clone(&counts));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // Messages are small, and each is waited for.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(count(from_client, to_server, Arc::clone(&counted)));
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
            }
        });
        Self { addr, counts }
    }

    pub(crate) fn url(&self) -> String {
        Postgres::url_at(self.addr.port())
    }

    /// What was sent since the last call.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut self.counts.lock().unwrap())
    }
}

/// Passes on what a client sends, one message at a time.
async fn count(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    counts: Arc<Mutex<Counts>>,
) -> std::io::Result<()> {
    let mut has_asked = false;
    // The first message has no letter.
    let first = from.read_u32().await?;
    pass(&mut from, &mut to, &[], first).await?;
    loop {
        let letter = from.read_u8().await?;
        let length = from.read_u32().await?;
        {
            let mut counts = counts.lock().unwrap();
            counts.statements += usize::from(matches!(letter, b'E' | b'Q'));
            let ends = matches!(letter, b'S' | b'Q');
            counts.round_trips += usize::from(ends && (has_asked || letter == b'Q'));
            has_asked = !ends;
        }
        pass(&mut from, &mut to, &[letter], length).await?;
    }
}

/// Passes on a message, of which the length counts itself and the rest.
async fn pass(
    from: &mut tcp::OwnedReadHalf,
    to: &mut tcp::OwnedWriteHalf,
    letter: &[u8],
    length: u32,
) -> std::io::Result<()> {
    let mut message = [letter, &length.to_be_bytes()].concat();
    let head = message.len();
    message.resize(letter.len() + length as usize, 0);
    from.read_exact(&mut message[head..]).await?;
    to.write_all(&message).await
}
