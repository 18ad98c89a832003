use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

use super::eventually;

/// A way to a server on which every answer is held back once the client has said a word. Works
/// beside what blocks the test, so it needs a runtime with more than one thread.
pub(crate) struct Detour {
    addr: SocketAddr,
    hold: Arc<Hold>,
}

struct Hold {
    word: &'static str,
    said: AtomicBool,
    /// The server has answered the word.
    answered: AtomicBool,
    over: watch::Sender<bool>,
}

impl Detour {
    pub(crate) async fn to(port: u16, word: &'static str) -> Self {
        let hold = Arc::new(Hold {
            word,
            said: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            over: watch::Sender::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let held = Arc::clone(&hold);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(there(from_client, to_server, Arc::clone(&held)));
                tokio::spawn(back(from_server, to_client, Arc::clone(&held)));
            }
        });
        Self { addr, hold }
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Waits until the server has done what the word told it to.
    pub(crate) async fn wait_until_held(&self) {
        eventually("the answer is held back", async || {
            self.hold.answered.load(Ordering::SeqCst)
        })
        .await;
    }

    /// Lets everything pass from now on.
    pub(crate) fn let_go(&self) {
        self.hold.over.send_replace(true);
    }
}

async fn there(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, hold: Arc<Hold>) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        if String::from_utf8_lossy(&piece[..count]).contains(hold.word) {
            hold.said.store(true, Ordering::SeqCst);
        }
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}

async fn back(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, hold: Arc<Hold>) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        if hold.said.load(Ordering::SeqCst) {
            hold.answered.store(true, Ordering::SeqCst);
            let mut over = hold.over.subscribe();
            let _ = over.wait_for(|over| *over).await;
        }
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}
