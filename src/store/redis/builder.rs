use std::{fmt, time::Duration};

use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};

use super::{
    DEFAULT_IN_FLIGHT, DEFAULT_TIMEOUT, RedisStore,
    cluster::Cluster,
    commands::Backend,
    pool::{Endpoint, ForeignPool, FromFn, Observed},
    sentinel::Sentinel,
    wire::{
        Server, has_tls,
        tls::{self, Trust},
    },
};
use crate::config::ConfigError;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(30);
/// Systems count in seconds.
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(1);
const LONGEST_KEEPALIVE: Duration = Duration::from_secs(3600);

/// Settings of a [`RedisStore`].
#[must_use = "a builder does nothing until it is built"]
pub struct RedisStoreBuilder {
    servers: Servers,
    pub(super) trust: Trust,
    timeout: Duration,
    most_in_flight: usize,
    keepalive: Option<Duration>,
}

enum Servers {
    Url(String),
    Sentinel {
        master: String,
        sentinels: Vec<String>,
    },
    Cluster(Vec<String>),
    Pool(Box<OpenPool>),
}

/// Takes a pool of the application's own into use, once the time limit is known.
type OpenPool = dyn FnOnce(Duration) -> Box<dyn ForeignPool> + Send + Sync;

impl RedisStoreBuilder {
    pub(super) fn url(url: String) -> Self {
        Self::new(Servers::Url(url))
    }

    pub(super) fn sentinel(master: String, sentinels: Vec<String>) -> Self {
        Self::new(Servers::Sentinel { master, sentinels })
    }

    pub(super) fn cluster(nodes: Vec<String>) -> Self {
        Self::new(Servers::Cluster(nodes))
    }

    pub(super) fn pool<M>(pool: bb8::Pool<M>) -> Self
    where
        M: bb8::ManageConnection,
        M::Connection: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
        M::Error: fmt::Debug + Send + Sync + 'static,
    {
        Self::new(Servers::Pool(Box::new(|limit| {
            Box::new(Observed::new(pool, limit))
        })))
    }

    pub(super) fn connections<F, G, C, E>(connection: F) -> Self
    where
        F: Fn() -> G + Send + Sync + 'static,
        G: Future<Output = Result<C, E>> + Send + 'static,
        C: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
        E: fmt::Debug + 'static,
    {
        Self::new(Servers::Pool(Box::new(|limit| {
            Box::new(Observed::new(FromFn(connection), limit))
        })))
    }

    fn new(servers: Servers) -> Self {
        Self {
            servers,
            trust: Trust::default(),
            timeout: DEFAULT_TIMEOUT,
            most_in_flight: DEFAULT_IN_FLIGHT,
            keepalive: Some(DEFAULT_KEEPALIVE),
        }
    }

    /// Sets the longest that a call takes: getting a connection, sending, and the reply.
    ///
    /// Defaults to 500 ms. A Redis nearby replies within 1 ms; beyond half a second a request is better
    /// refused. From 1 ms to 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many calls of this store may wait for a reply at once, to all servers together. Further ones
    /// fail at once, as if the server were away. A call that has given up counts for as long as the
    /// application's pool goes on looking for a connection for it.
    ///
    /// Defaults to 4096. A Redis that replies within a millisecond keeps a hundred waiting at 100,000 calls a
    /// second; if thousands wait, it does not reply.
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.most_in_flight = calls;
        self
    }

    /// Sets after how much silence a connection is probed by TCP keepalive; `None` switches that off.
    ///
    /// Defaults to 30 seconds: routers, NATs and load balancers drop connections that are silent for some
    /// minutes, and the probes prevent that, or notice it before a request does. From 1 second to 1 hour. Has
    /// no effect on unix sockets, nor on the application's pool.
    ///
    /// ```
    /// use std::time::Duration;
    /// use actix_web_idempotency::RedisStore;
    ///
    /// let store = RedisStore::builder("redis://127.0.0.1/")
    ///     .tcp_keepalive(Duration::from_secs(10)) // `None` switches it off
    ///     .build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn tcp_keepalive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keepalive = interval.into();
        self
    }

    /// Builds the store. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When a URL or a certificate cannot be used, or a time is out of its range.
    pub fn build(self) -> Result<RedisStore, ConfigError> {
        let timeout = self.timeout;
        if timeout < Duration::from_millis(1) || timeout > LONGEST_TIMEOUT {
            return Err(ConfigError::new(format!(
                "timeout must be between 1 ms and 10 s (got {timeout:?}); 500 ms is a good default"
            )));
        }
        if self.most_in_flight == 0 {
            return Err(ConfigError::new(
                "max_in_flight must be at least 1 (got 0), or every call would be refused",
            ));
        }
        let tcp = tcp_settings(self.keepalive)?;
        let source = match self.servers {
            Servers::Url(url) => {
                let server = Server::new(&url, &self.trust, &tcp)?;
                Backend::own(Endpoint::Server(server), timeout)
            }
            Servers::Sentinel { master, sentinels } => {
                let sentinel = sentinel(&master, &sentinels, &self.trust, &tcp)?;
                Backend::own(Endpoint::Sentinel(sentinel), timeout)
            }
            Servers::Cluster(nodes) => {
                let cluster = cluster(&nodes, &self.trust, &tcp, timeout)?;
                Backend::Cluster(Box::new(cluster))
            }
            Servers::Pool(_) if tls::is_given(&self.trust) => {
                return Err(ConfigError::new(
                    "certificates must be given to the manager of the pool, which opens the connections",
                ));
            }
            Servers::Pool(open) => Backend::Pool(open(timeout)),
        };
        Ok(RedisStore::with(source, timeout, self.most_in_flight))
    }
}

#[cfg(feature = "redis-rustls")]
impl RedisStoreBuilder {
    /// Sets the certificate authority of the servers' certificates, in PEM; those of sentinels and of all nodes
    /// of a cluster too. For `rediss://` URLs.
    ///
    /// Defaults to those that the system trusts, or that `SSL_CERT_FILE` names.
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.authority = Some(pem.into());
        self
    }

    /// Sets the client certificate and its key, in PEM. For `rediss://` URLs.
    ///
    /// Defaults to none: most servers ask for a password instead.
    ///
    /// ```
    /// use actix_web_idempotency::RedisStore;
    ///
    /// # let own = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
    /// # let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    /// # let authority = certificate.clone();
    /// // Each as `std::fs::read("..")?` has it.
    /// let store = RedisStore::builder("rediss://10.0.0.1/")
    ///     .certificate_authority(authority)
    ///     .client_certificate(certificate, key)
    ///     .build()?;
    ///
    /// // And through Sentinel, or on a cluster:
    /// # let own = rcgen::generate_simple_self_signed(["app".to_owned()]).unwrap();
    /// # let authority = own.cert.pem();
    /// let sentinels = ["rediss://10.0.0.1:26379", "rediss://10.0.0.2:26379"];
    /// let store = RedisStore::sentinel("rediss://app:secret@mymaster/", sentinels)
    ///     .certificate_authority(authority)
    ///     .build()?;
    /// # Ok::<_, actix_web_idempotency::ConfigError>(())
    /// ```
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.trust.own = Some((certificate.into(), key.into()));
        self
    }
}

/// A keepalive is sent after `interval` of silence, then three times as often.
fn tcp_settings(interval: Option<Duration>) -> Result<TcpSettings, ConfigError> {
    let Some(interval) = interval else {
        return Ok(TcpSettings::default());
    };
    if interval < SHORTEST_KEEPALIVE || interval > LONGEST_KEEPALIVE {
        return Err(ConfigError::new(format!(
            "tcp_keepalive must be between 1 s and 1 h (got {interval:?}); 30 s is a good default, \
             and None switches it off"
        )));
    }
    let keepalive = TcpKeepalive::new()
        .with_time(interval)
        .with_interval((interval / 3).max(SHORTEST_KEEPALIVE));
    Ok(TcpSettings::default().set_keepalive(keepalive))
}

fn sentinel(
    master: &str,
    sentinels: &[String],
    trust: &Trust,
    tcp: &TcpSettings,
) -> Result<Sentinel, ConfigError> {
    // Certificates may be for the servers, for the sentinels or for both, but not for nobody.
    let master = match sentinels.iter().any(|url| has_tls(url)) {
        true => Server::one_of_many(master, trust, tcp)?,
        false => Server::new(master, trust, tcp)?,
    };
    let Some((name, _no_port)) = master.address() else {
        return Err(ConfigError::new(
            "a Sentinel URL must use the master's name as its host, e.g. redis://mymaster/ (got a unix \
             socket)",
        ));
    };
    let name = name.to_owned();
    if sentinels.is_empty() {
        return Err(ConfigError::new(
            "sentinel must get the URL of at least one sentinel (got none)",
        ));
    }
    let sentinels = (sentinels.iter())
        .map(|url| Server::one_of_many(url, trust, tcp))
        .collect::<Result<_, _>>()?;
    Ok(Sentinel::new(name, master, sentinels))
}

fn cluster(
    nodes: &[String],
    trust: &Trust,
    tcp: &TcpSettings,
    timeout: Duration,
) -> Result<Cluster, ConfigError> {
    let nodes = nodes.iter().map(|url| Server::new(url, trust, tcp));
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    if nodes.iter().any(|node| node.settings().db() != 0) {
        return Err(ConfigError::new(
            "a cluster URL must not name a database; a cluster has one only",
        ));
    }
    Cluster::new(&nodes, timeout).ok_or_else(|| {
        ConfigError::new("cluster must get the URL of at least one node, and no unix socket")
    })
}

/// Neither URL nor pool: they may hold a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        RedisStore::new(url).unwrap_err().to_string()
    }

    #[test]
    fn a_url_of_each_form_is_taken_without_a_server() {
        for url in [
            "redis://127.0.0.1",
            "redis://:pass@127.0.0.1:6380/3",
            "redis://user:pass@[::1]/",
            "redis+unix:///run/redis.sock?db=2&user=u&pass=p",
            "unix:///run/redis.sock",
        ] {
            assert!(RedisStore::new(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_bad_url_says_what_a_good_one_looks_like_and_hides_the_password() {
        for url in [
            "",
            "localhost",
            "http://localhost",
            "redis://",
            "redis://:secret@localhost/x",
            "redis://:secret@localhost:99999",
            "redis+unix://",
        ] {
            let err = refused(url);
            assert!(
                err.contains("redis://[[user]:password@]host"),
                "{url}: {err}"
            );
            assert!(!err.contains("secret"), "{err}");
        }
    }

    #[test]
    fn a_timeout_that_cannot_work_is_refused() {
        for timeout in [Duration::ZERO, Duration::from_secs(11)] {
            let builder = RedisStore::builder("redis://127.0.0.1").timeout(timeout);
            assert!(
                builder
                    .build()
                    .unwrap_err()
                    .to_string()
                    .contains("between 1 ms and 10 s")
            );
        }
    }

    #[test]
    fn build_rejects_a_keepalive_out_of_range() {
        let build = |keepalive| {
            let builder = RedisStore::builder("redis://127.0.0.1");
            builder.tcp_keepalive(keepalive).build()
        };
        for keepalive in [Duration::ZERO, Duration::from_secs(3601)] {
            let err = build(Some(keepalive)).unwrap_err().to_string();
            assert!(err.contains("between 1 s and 1 h"), "{err}");
        }
        for keepalive in [None, Some(SHORTEST_KEEPALIVE), Some(LONGEST_KEEPALIVE)] {
            build(keepalive).unwrap();
        }
    }

    #[cfg(feature = "redis-rustls")]
    #[tokio::test]
    async fn certificates_for_a_pool_are_refused() {
        let manager = bb8_redis::RedisConnectionManager::new("redis://127.0.0.1").unwrap();
        let pool = bb8::Pool::builder().build_unchecked(manager);
        let builder = RedisStore::pool_builder(pool).certificate_authority("x");
        let err = builder.build().unwrap_err().to_string();
        assert!(err.contains("manager"), "{err}");
    }

    #[test]
    fn no_call_in_flight_is_refused() {
        let builder = RedisStore::builder("redis://127.0.0.1").max_in_flight(0);
        let err = builder.build().unwrap_err().to_string();
        assert!(err.contains("max_in_flight must be at least 1"), "{err}");
    }

    #[test]
    fn sentinels_are_named_without_a_server() {
        let build = |master: &str, sentinels: &[&str]| {
            let store = RedisStore::sentinel(master, sentinels.iter().copied());
            store.build().map_err(|err| err.to_string())
        };
        let sentinels = ["redis://10.0.0.1:26379", "redis://:pass@s-2:26379"];
        for master in ["redis://My_master", "redis://u:p@m.x-1/2"] {
            build(master, &sentinels).unwrap();
        }
        assert!(
            build("redis://m", &[])
                .unwrap_err()
                .contains("at least one sentinel")
        );
        assert!(build("redis://m", &["x"]).unwrap_err().contains("URL"));
        let socket = build("unix:///run/redis.sock", &sentinels);
        assert!(socket.unwrap_err().contains("redis://mymaster/"));
    }

    #[test]
    fn a_cluster_is_named_without_a_server() {
        let build = |nodes: &[&str]| {
            let store = RedisStore::cluster(nodes.iter().copied());
            store.build().map_err(|err| err.to_string())
        };
        build(&["redis://u:p@10.0.0.1:7000", "redis://node-2"]).unwrap();
        assert!(build(&[]).unwrap_err().contains("at least one node"));
        assert!(
            build(&["unix:///x.sock"])
                .unwrap_err()
                .contains("no unix socket")
        );
        assert!(
            build(&["redis://a/3"])
                .unwrap_err()
                .contains("must not name a database")
        );
        assert!(build(&["redis://a", "x"]).unwrap_err().contains("URL"));
    }

    #[cfg(not(feature = "redis-rustls"))]
    #[test]
    fn tls_without_its_feature_names_the_feature() {
        assert!(refused("rediss://localhost").contains("redis-rustls"));
    }

    #[cfg(feature = "redis-rustls")]
    #[test]
    fn tls_with_its_feature_is_taken() {
        let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let builder = RedisStore::builder("rediss://localhost");
        assert!(
            builder
                .certificate_authority(authority.cert.pem())
                .build()
                .is_ok()
        );
    }
}
