use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// The network between a client and a server, which a test can spoil. Works beside what blocks the
/// test, so it needs a runtime with more than one thread.
pub(crate) struct Proxy {
    addr: SocketAddr,
    leads_to: Arc<AtomicU16>,
    opened: Arc<AtomicUsize>,
    network: watch::Sender<Network>,
    listens: JoinHandle<()>,
}

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    Flows,
    /// It arrives so much later, in both directions.
    Slow(Duration),
    /// Connections are reset, and so is every new one.
    Cut,
    /// The server hears everything, its answers are swallowed. Nobody is told.
    Unanswered,
    /// Everything is swallowed. Nobody is told.
    Swallowed,
}

#[derive(Clone, Copy)]
struct Network {
    traffic: Traffic,
    /// Connections with a lower number are reset.
    reset: usize,
    /// What is sent on connections with a lower number is swallowed.
    forgotten: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let opened = Arc::new(AtomicUsize::new(0));
        let network = watch::Sender::new(Network {
            traffic: Traffic::Flows,
            reset: 0,
            forgotten: 0,
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let leads_to = Arc::new(AtomicU16::new(port));
        let (numbers, of_each) = (Arc::clone(&opened), network.subscribe());
        let goal = Arc::clone(&leads_to);
        let listens = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = numbers.fetch_add(1, Ordering::SeqCst);
                let port = goal.load(Ordering::SeqCst);
                tokio::spawn(connect(client, port, number, of_each.clone()));
            }
        });
        Self {
            addr,
            leads_to,
            opened,
            network,
            listens,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Where connections lead that are opened from now on: a server that is started anew has another
    /// port.
    pub(crate) fn lead_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::SeqCst);
    }

    /// How many connections have been opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// From now on.
    pub(crate) fn set(&self, traffic: Traffic) {
        self.network
            .send_modify(|network| network.traffic = traffic);
    }

    /// Resets the connections that there are.
    pub(crate) fn reset(&self) {
        let opened = self.opened();
        self.network.send_modify(|network| network.reset = opened);
    }

    /// Forgets the connections that there are, as a router does that restarts: what is sent on
    /// them is swallowed, and nobody is told. New ones work.
    pub(crate) fn forget(&self) {
        let opened = self.opened();
        self.network
            .send_modify(|network| network.forgotten = opened);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listens.abort();
    }
}

impl Network {
    fn resets(&self, number: usize) -> bool {
        self.traffic == Traffic::Cut || number < self.reset
    }

    fn swallows(&self, number: usize, way: Way) -> bool {
        match self.traffic {
            Traffic::Swallowed => true,
            Traffic::Unanswered if way == Way::Back => true,
            _ => number < self.forgotten,
        }
    }

    fn delay(&self) -> Duration {
        match self.traffic {
            Traffic::Slow(delay) => delay,
            _ => Duration::ZERO,
        }
    }
}

/// Serves one connection until it ends, is reset, or the proxy goes.
async fn connect(
    mut client: TcpStream,
    port: u16,
    number: usize,
    mut network: watch::Receiver<Network>,
) {
    // A listener that is closed may not get its port again, so what ought to be refused is
    // accepted and reset.
    if !network.borrow().resets(number)
        && let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await
    {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let of_each = network.clone();
        let passes = join(
            pass(from_client, to_server, Way::There, number, &of_each),
            pass(from_server, to_client, Way::Back, number, &of_each),
        );
        tokio::select! {
            _ = passes => return,
            _ = network.wait_for(|network| network.resets(number)) => {}
        }
        let _ = server.set_zero_linger();
    }
    let _ = client.set_zero_linger();
}

/// Passes on what goes one way.
async fn pass(
    mut from: tcp::ReadHalf<'_>,
    mut to: tcp::WriteHalf<'_>,
    way: Way,
    number: usize,
    network: &watch::Receiver<Network>,
) {
    let (pieces, mut under_way) = mpsc::unbounded_channel();
    let reads = async move {
        let mut piece = [0; 4096];
        // Who has missed a piece can make nothing of those that follow.
        let mut is_lost = false;
        loop {
            let read = from.read(&mut piece).await;
            let network = *network.borrow();
            is_lost |= network.swallows(number, way);
            let Ok(count @ 1..) = read else { break };
            if !is_lost {
                let _ = pieces.send((Instant::now() + network.delay(), piece[..count].to_vec()));
            }
        }
        if is_lost {
            // Its end does not arrive either.
            pending::<()>().await;
        }
    };
    let writes = async {
        while let Some((due, piece)) = under_way.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    join(reads, writes).await;
}
