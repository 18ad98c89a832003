//! Opens connections step by step, so that an error can name the step, the server and the limit.

use std::{
    fmt, io,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_util::future::select_ok;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ErrorKind, ProtocolVersion, RedisError, RedisResult,
    aio::{AsyncStream, MultiplexedConnection},
    io::tcp::{TcpSettings, socket2::SockRef},
};
use tokio::{
    net::{self, TcpStream},
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::{error::discreet, server::Server};

/// A connection that could not be opened: which step failed, at which server, and why.
#[derive(Debug)]
pub(crate) struct OpenError(String);

impl OpenError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}

/// By when all steps have to be done.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    until: Instant,
    length: Duration,
}

impl Limit {
    /// So long from now on.
    pub(crate) fn after(length: Duration) -> Self {
        Self {
            until: Instant::now() + length,
            length,
        }
    }

    /// Takes a step. `step` names it in the error, and `server` where.
    pub(crate) async fn step<T, E: fmt::Display>(
        self,
        step: &str,
        server: &(impl fmt::Display + Sync + ?Sized),
        taken: impl Future<Output = Result<T, E>>,
    ) -> Result<T, OpenError> {
        match timeout_at(self.until, taken).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(err)) => Err(OpenError(format!("{step} {server}: {err}"))),
            Err(_elapsed) => Err(OpenError(format!(
                "{step} {server}: not done within {:?}",
                self.length
            ))),
        }
    }
}

/// A connection that is open, and that closes with its last clone.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    redis: MultiplexedConnection,
    _driver: Arc<Driver>,
}

/// Reads and writes. Without an end by force it would wait for replies for as long as the socket lives.
#[derive(Debug)]
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Deref for Opened {
    type Target = MultiplexedConnection;

    fn deref(&self) -> &MultiplexedConnection {
        &self.redis
    }
}

impl DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut MultiplexedConnection {
        &mut self.redis
    }
}

/// Opens a connection. When the server hangs up on it at once, finds out why, and tries again where
/// there was no reason.
pub(crate) async fn open(
    server: &Server,
    config: AsyncConnectionConfig,
    limit: Limit,
) -> Result<Opened, OpenError> {
    let opened = match log_in(server, config.clone(), limit).await? {
        Err(err) if has_hung_up(&err) => match why(server, limit).await? {
            Some(reason) => Err(reason),
            // That one connection was lost, as any other can be.
            None => log_in(server, config, limit).await?,
        },
        opened => opened,
    };
    opened.map_err(|err| OpenError(format!("{} {server}: {}", login_at(server), discreet(err))))
}

/// Connects and logs in. The inner error is the server's.
async fn log_in(
    server: &Server,
    config: AsyncConnectionConfig,
    limit: Limit,
) -> Result<RedisResult<Opened>, OpenError> {
    let stream = connect(server, limit).await?;
    // Calls have a limit of their own.
    let config = config.set_response_timeout(None);
    let logged_in = async {
        let made = MultiplexedConnection::new_with_config(server.settings(), stream, config).await;
        Ok::<_, OpenError>(made)
    };
    let logged_in = limit.step(login_at(server), server, logged_in).await?;
    Ok(logged_in.map(|(redis, driver)| Opened {
        redis,
        _driver: Arc::new(Driver(tokio::spawn(driver).abort_handle())),
    }))
}

/// The first command whose reply a login waits for.
fn login_at(server: &Server) -> &'static str {
    let settings = server.settings();
    match settings.password() {
        Some(_) => "AUTH at",
        None if settings.protocol() == ProtocolVersion::RESP3 => "HELLO at",
        None if settings.db() != 0 => "SELECT at",
        None => "CLIENT SETINFO at",
    }
}

type Stream = Pin<Box<dyn AsyncStream + Send + Sync>>;

async fn connect(server: &Server, limit: Limit) -> Result<Stream, OpenError> {
    let Some((host, port)) = server.address() else {
        let opened = unix(server.addr());
        return limit.step("connecting to", server, opened).await;
    };
    let found = limit.step("resolving", host, net::lookup_host((host, port)));
    let found = found.await?;
    let tcp = tcp(found, server.tcp_settings());
    let tcp = limit.step("connecting to", server, tcp).await?;
    let Some(tls) = server.tls() else {
        return Ok(Box::pin(tcp));
    };
    let stream = tls.shake_hands(host, tcp);
    let stream = limit.step("TLS handshake with", server, stream).await?;
    Ok(Box::pin(stream))
}

/// Connects to whichever of the addresses of a name is there first.
async fn tcp(
    addresses: impl Iterator<Item = SocketAddr>,
    settings: &TcpSettings,
) -> io::Result<TcpStream> {
    let addresses: Vec<_> = addresses.collect();
    if addresses.is_empty() {
        return Err(io::Error::other("the name has no address"));
    }
    let connecting = addresses
        .into_iter()
        .map(|address| Box::pin(TcpStream::connect(address)));
    let (tcp, _others) = select_ok(connecting).await?;
    // Calls are small, and share the connection: none is to wait for the reply to another.
    tcp.set_nodelay(true)?;
    if let Some(keepalive) = settings.keepalive() {
        SockRef::from(&tcp).set_tcp_keepalive(keepalive)?;
    }
    Ok(tcp)
}

#[cfg(unix)]
async fn unix(addr: &ConnectionAddr) -> io::Result<Stream> {
    match addr {
        ConnectionAddr::Unix(path) => Ok(Box::pin(net::UnixStream::connect(path).await?)),
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
}

#[cfg(not(unix))]
async fn unix(_: &ConnectionAddr) -> io::Result<Stream> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The server has accepted the connection, and then ended it.
fn has_hung_up(err: &RedisError) -> bool {
    err.is_connection_dropped() && !err.is_connection_refusal()
}

/// Redis says why to whom it turns away, and then hangs up. The redis crate takes that for the
/// answer to commands of its own, to which it does not listen. So this connects once more, with a
/// single command to which it does.
async fn why(server: &Server, limit: Limit) -> Result<Option<RedisError>, OpenError> {
    let settings = server.settings().clone();
    let settings = settings
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name()
        .set_db(0);
    let server = server.with_settings(settings);
    Ok(
        match log_in(&server, AsyncConnectionConfig::new(), limit).await? {
            Err(err) if has_hung_up(&err) => Some(RedisError::from((
                ErrorKind::Io,
                "the server hangs up on new connections",
                "is maxclients reached, or does it want TLS (rediss://) or a certificate?"
                    .to_owned(),
            ))),
            // This time it was let in: a server that does not know `HELLO` says so.
            Err(err) if (err.detail()).is_some_and(|said| said.starts_with("unknown command")) => {
                None
            }
            Ok(_) => None,
            Err(err) => Some(err),
        },
    )
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn tcp_sends_small_calls_at_once() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let opened = tcp([address].into_iter(), &TcpSettings::default()).await;
        assert!(opened.unwrap().nodelay().unwrap());
    }

    #[tokio::test]
    async fn tcp_fails_when_a_name_has_no_address() {
        let opened = tcp([].into_iter(), &TcpSettings::default()).await;
        assert!(opened.unwrap_err().to_string().contains("no address"));
    }
}
