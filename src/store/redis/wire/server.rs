//! From URLs to servers.

use std::fmt;

use redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisError, io::tcp::TcpSettings,
};

use super::tls::{self, Tls, Trust};
use crate::config::ConfigError;

/// A server: its address, how to log in, and whom to trust there.
#[derive(Clone)]
pub(crate) struct Server {
    info: ConnectionInfo,
    tls: Option<Tls>,
}

impl Server {
    /// Checks a URL. Nothing is sent.
    pub(crate) fn new(url: &str, trust: &Trust, tcp: &TcpSettings) -> Result<Self, ConfigError> {
        if has_raw_login(url) {
            return Err(ConfigError::new(
                "the user and password of a Redis URL must be percent-encoded (`#` as \
                 %23, `/` as %2F, `?` as %3F, `@` as %40, `%` as %25)",
            ));
        }
        let info = url
            .into_connection_info()
            .map_err(|err| explain(url, &err))?;
        let info = info.set_tcp_settings(tcp.clone());
        let tls = match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                return Err(ConfigError::new(
                    "the Redis URL must not end in #insecure; give the server's certificate_authority",
                ));
            }
            ConnectionAddr::TcpTls { .. } => Some(Tls::new(trust)?),
            _ if tls::is_given(trust) => {
                return Err(ConfigError::new(
                    "the Redis URL must begin with rediss:// when certificates are given",
                ));
            }
            _ => None,
        };
        Ok(Self { info, tls })
    }

    /// One of several servers, of which only those that speak TLS need certificates.
    pub(crate) fn one_of_many(
        url: &str,
        trust: &Trust,
        tcp: &TcpSettings,
    ) -> Result<Self, ConfigError> {
        match has_tls(url) {
            true => Self::new(url, trust, tcp),
            false => Self::new(url, &Trust::default(), tcp),
        }
    }

    /// The same server as far as its settings go, at another address.
    pub(crate) fn at(&self, host: String, port: u16) -> Self {
        let addr = match self.info.addr() {
            ConnectionAddr::TcpTls { .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Self {
            info: self.info.clone().set_addr(addr),
            tls: self.tls.clone(),
        }
    }

    /// With another way to log in.
    pub(crate) fn with_settings(&self, settings: RedisConnectionInfo) -> Self {
        Self {
            info: self.info.clone().set_redis_settings(settings),
            tls: self.tls.clone(),
        }
    }

    /// Publications are told apart from replies in this protocol alone.
    pub(crate) fn with_pushes(&self) -> Self {
        self.with_settings(self.settings().clone().set_protocol(ProtocolVersion::RESP3))
    }

    pub(crate) fn addr(&self) -> &ConnectionAddr {
        self.info.addr()
    }

    /// Host and port; a socket has none.
    pub(crate) fn address(&self) -> Option<(&str, u16)> {
        match self.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some((host, *port))
            }
            _ => None,
        }
    }

    pub(crate) fn settings(&self) -> &RedisConnectionInfo {
        self.info.redis_settings()
    }

    pub(crate) fn tcp_settings(&self) -> &TcpSettings {
        self.info.tcp_settings()
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

/// As it is shown: nothing of the login.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

/// Its address; nothing of the login.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr().fmt(f)
    }
}

pub(crate) fn has_tls(url: &str) -> bool {
    url.starts_with("rediss:") || url.starts_with("valkeys:")
}

/// Whether user or password have characters that mean something else in a URL: they would end it early,
/// and what follows be taken for host, port or database. The last `@` ends the login that was meant.
fn has_raw_login(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    if scheme.ends_with("unix") {
        return rest.contains('#');
    }
    let Some((login, _host)) = rest.rsplit_once('@') else {
        return false;
    };
    let is_code = |code: &str| {
        let digits = code.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    login.contains(['#', '/', '?', '@']) || !login.split('%').skip(1).all(is_code)
}

/// Says what is wrong with a URL, without its password.
fn explain(url: &str, err: &RedisError) -> ConfigError {
    if has_tls(url)
        && err.kind() == ErrorKind::InvalidClientConfig
        && err.to_string().contains("feature")
    {
        return ConfigError::new(
            "the Redis URL asks for TLS: switch on the feature `redis-rustls` of \
             actix-web-idempotency",
        );
    }
    let reason = match err.detail() {
        Some(detail) => format!("{} ({detail})", reason_of(err)),
        None => reason_of(err),
    };
    ConfigError::new(format!(
        "the Redis URL is not valid: {reason}; it must look like \
         redis://[[user]:password@]host[:port][/database] or \
         redis+unix:///path/to/socket[?db=0&user=..&pass=..]"
    ))
}

/// The message without the kind that redis appends.
fn reason_of(err: &RedisError) -> String {
    let whole = err.to_string();
    whole.split(" - ").next().unwrap_or(&whole).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        let server = Server::new(url, &Trust::default(), &TcpSettings::default());
        server.unwrap_err().to_string()
    }

    #[test]
    fn url_with_a_raw_character_in_its_login_is_refused_and_not_shown() {
        for login in [
            ":sec#ret",
            ":sec/ret",
            ":sec?ret",
            ":sec@ret",
            ":sec%ret",
            ":secret%",
            ":secret%2",
            "user:12#secret",
            "user:12/secret",
            "secret#:x",
            "u@secret:x",
        ] {
            for scheme in ["redis", "rediss"] {
                let err = refused(&format!("{scheme}://{login}@localhost:6379/1"));
                assert!(err.contains("percent-encoded"), "{login}: {err}");
                assert!(
                    !err.contains("sec") && !err.contains("ret"),
                    "{login}: {err}"
                );
            }
        }
        let err = refused("redis+unix:///run/redis.sock?pass=sec#ret");
        assert!(err.contains("percent-encoded"), "{err}");
    }

    #[cfg(feature = "redis-rustls")]
    #[test]
    fn url_that_asks_for_insecure_tls_is_refused() {
        let err = refused("rediss://localhost/#insecure");
        assert!(err.contains("certificate_authority"), "{err}");
    }

    #[test]
    fn url_with_an_encoded_login_is_taken_and_decoded() {
        let url = "redis://us%23er:a%23b%2Fc%3Fd%40e%25f@localhost/";
        let server = Server::new(url, &Trust::default(), &TcpSettings::default()).unwrap();
        assert_eq!(server.settings().username(), Some("us#er"));
        assert_eq!(server.settings().password(), Some("a#b/c?d@e%f"));
        assert_eq!(server.to_string(), "localhost:6379");
    }
}
