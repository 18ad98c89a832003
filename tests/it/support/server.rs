use std::{future::Future, net::SocketAddr, sync::mpsc, thread, time::Duration};

use actix_web::dev::ServerHandle;

/// Longer than any answer takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A real server on a free port of 127.0.0.1, HTTP/1.1 and HTTP/2 with prior knowledge, with its
/// own threads. It is stopped when this is dropped.
pub(crate) struct Server {
    addr: SocketAddr,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

/// What a server tells once it runs.
pub(crate) type Ready = mpsc::Sender<(SocketAddr, ServerHandle)>;

impl Server {
    /// Runs what [`serve!`](crate::serve) makes of an `App`.
    pub(crate) fn spawn<F>(run: impl FnOnce(Ready) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let (ready, started) = mpsc::channel();
        let thread = thread::spawn(move || actix_web::rt::System::new().block_on(run(ready)));
        let (addr, handle) = started.recv().expect("the server starts");
        Self {
            addr,
            handle,
            thread: Some(thread),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Stops it and waits until `run()` has returned.
    pub(crate) async fn stop(mut self, graceful: bool) {
        self.handle.stop(graceful).await;
        let thread = self.thread.take().unwrap();
        tokio::task::spawn_blocking(move || thread.join())
            .await
            .unwrap()
            .unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Sends the command; the future that waits for it is not needed.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn client_builder() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().timeout(LIMIT);
    // The server closes a connection that is idle for 5 s. A request sent at that moment would be lost.
    builder.pool_idle_timeout(Duration::from_secs(2))
}

/// A client that gives up on what a test would otherwise wait for without end.
pub(crate) fn client() -> reqwest::Client {
    client_builder().build().unwrap()
}

/// The same over HTTP/2.
pub(crate) fn http2_client() -> reqwest::Client {
    client_builder().http2_prior_knowledge().build().unwrap()
}

/// A request as most tests send it: on a connection of its own.
pub(crate) fn post(server: &Server, path: &str, body: &'static str) -> reqwest::RequestBuilder {
    client().post(server.url(path)).body(body)
}

pub(crate) async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// Starts a server: `serve!(App::new()..)`, or `serve!(2, App::new()..)` with two workers. The
/// expression is evaluated once per worker and moves what it names.
#[macro_export]
macro_rules! serve {
    ($app:expr) => {
        $crate::serve!(1, $app)
    };
    ($workers:expr, $app:expr) => {
        $crate::support::server::Server::spawn(move |ready| async move {
            let server = actix_web::HttpServer::new(move || $app)
                .workers($workers)
                .disable_signals()
                .shutdown_timeout(5)
                .bind_auto_h2c(("127.0.0.1", 0))
                .unwrap();
            let addr = server.addrs()[0];
            let running = server.run();
            ready.send((addr, running.handle())).unwrap();
            running.await.unwrap();
        })
    };
}
