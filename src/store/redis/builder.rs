use std::{fmt, time::Duration};

use redis::{Client, ErrorKind, RedisError};

use super::{
    DEFAULT_IN_FLIGHT, DEFAULT_TIMEOUT, Own, RedisStore, Source,
    foreign_pool::{ForeignPool, Observed},
    per_runtime::PerRuntime,
    tls,
    wake_ups::WakeUps,
};
use crate::ConfigError;

const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of a [`RedisStore`].
#[must_use = "a builder does nothing until it is built"]
pub struct RedisStoreBuilder {
    server: Server,
    timeout: Duration,
    most_in_flight: usize,
}

enum Server {
    Url(String),
    Pool(Box<dyn ForeignPool>),
}

impl RedisStoreBuilder {
    pub(super) fn url(url: String) -> Self {
        Self::new(Server::Url(url))
    }

    pub(super) fn pool<M>(pool: bb8::Pool<M>) -> Self
    where
        M: bb8::ManageConnection,
        M::Connection: redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
        M::Error: fmt::Debug + Send + Sync + 'static,
    {
        Self::new(Server::Pool(Box::new(Observed::new(pool))))
    }

    fn new(server: Server) -> Self {
        Self {
            server,
            timeout: DEFAULT_TIMEOUT,
            most_in_flight: DEFAULT_IN_FLIGHT,
        }
    }

    /// The longest any call takes: getting a connection, sending and the answer.
    ///
    /// Default: 500 ms. A Redis nearby answers within one; who waits longer is usually better
    /// off refused.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many calls of this store may wait for an answer at once. Further ones fail at once, as if
    /// the server were away.
    ///
    /// Default: 4096. A Redis that answers within a millisecond keeps a hundred waiting at 100,000
    /// calls a second; when thousands wait, it does not answer.
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.most_in_flight = calls;
        self
    }

    /// Builds the store. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the URL cannot be used or the timeout cannot work.
    pub fn build(self) -> Result<RedisStore, ConfigError> {
        let timeout = self.timeout;
        if timeout < Duration::from_millis(1) || timeout > LONGEST_TIMEOUT {
            return Err(ConfigError::new(format!(
                "the store's timeout is {timeout:?}: it can be 1 ms to 10 s, 500 ms serves most"
            )));
        }
        if self.most_in_flight == 0 {
            return Err(ConfigError::new(
                "max_in_flight is 0, so every call would be refused: allow at least 1",
            ));
        }
        let source = match self.server {
            Server::Url(url) => {
                let client = Client::open(url.as_str()).map_err(|err| explain(&url, &err))?;
                tls::prepare();
                Source::Own(Box::new(Own {
                    wake_ups: WakeUps::new(client.clone(), timeout),
                    connections: PerRuntime::new(client, timeout),
                }))
            }
            Server::Pool(pool) => Source::Pool(pool),
        };
        Ok(RedisStore::with(source, timeout, self.most_in_flight))
    }
}

/// Says what is wrong with a URL, without its password.
fn explain(url: &str, err: &RedisError) -> ConfigError {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let tls = matches!(scheme, "rediss" | "valkeys");
    if tls && err.kind() == ErrorKind::InvalidClientConfig && err.to_string().contains("feature") {
        return ConfigError::new(
            "the Redis URL asks for TLS: switch on the feature `redis-rustls` of \
             actix-idempotency",
        );
    }
    let reason = match err.detail() {
        Some(detail) => format!("{} ({detail})", reason_of(err)),
        None => reason_of(err),
    };
    ConfigError::new(format!(
        "the Redis URL cannot be used: {reason}. It looks like \
         redis://[[user]:password@]host[:port][/database] or \
         redis+unix:///path/to/socket[?db=0&user=..&pass=..]"
    ))
}

/// The message without the kind that redis appends.
fn reason_of(err: &RedisError) -> String {
    let whole = err.to_string();
    whole.split(" - ").next().unwrap_or(&whole).to_owned()
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
        RedisStore::connect(url).unwrap_err().to_string()
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
            assert!(RedisStore::connect(url).is_ok(), "{url}");
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
                    .contains("1 ms to 10 s")
            );
        }
    }

    #[test]
    fn no_call_in_flight_is_refused() {
        let builder = RedisStore::builder("redis://127.0.0.1").max_in_flight(0);
        let err = builder.build().unwrap_err().to_string();
        assert!(err.contains("max_in_flight is 0"), "{err}");
    }

    #[cfg(not(feature = "redis-rustls"))]
    #[test]
    fn tls_without_its_feature_names_the_feature() {
        assert!(refused("rediss://localhost").contains("redis-rustls"));
    }

    #[cfg(feature = "redis-rustls")]
    #[test]
    fn tls_with_its_feature_is_taken() {
        assert!(RedisStore::connect("rediss://localhost").is_ok());
    }
}
