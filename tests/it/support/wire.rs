use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(20);

/// A connection on which a test can misbehave.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) async fn to(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// A complete request.
    pub(crate) async fn request(&mut self, method: &str, path: &str, body: &str) {
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        self.send(head + body).await;
    }

    /// Reads until the text has come.
    pub(crate) async fn read_until(&mut self, text: &str) -> String {
        let mut all = String::new();
        let mut piece = [0; 4096];
        while !all.contains(text) {
            let read = timeout(LIMIT, self.0.read(&mut piece)).await;
            let count = read
                .unwrap_or_else(|_| panic!("no {text:?} in {all:?}"))
                .unwrap();
            assert!(count > 0, "the connection ended before {text:?}: {all}");
            all.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        all
    }

    /// Reads to the end of the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut all = Vec::new();
        let read = timeout(LIMIT, self.0.read_to_end(&mut all)).await;
        drop(read.expect("the connection ends"));
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Says that nothing more is coming, and goes on listening.
    pub(crate) async fn half_close(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Resets the connection, as a crashed client's kernel does.
    pub(crate) fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}
