//! From URLs to servers.

use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
    io::tcp::TcpSettings,
};

use super::tls;
use crate::ConfigError;

/// Checks a URL. Nothing is sent.
pub(super) fn open(
    url: &str,
    trust: &tls::Trust,
    tcp: &TcpSettings,
) -> Result<Client, ConfigError> {
    let open = || {
        let info = url.into_connection_info()?;
        tls::open(info.set_tcp_settings(tcp.clone()), trust)
    };
    open().map_err(|err| explain(url, &err))
}

/// One of several servers, of which only those that speak TLS need certificates.
pub(super) fn open_any(
    url: &str,
    trust: &tls::Trust,
    tcp: &TcpSettings,
) -> Result<Client, ConfigError> {
    match has_tls(url) {
        true => open(url, trust, tcp),
        false => open(url, &tls::Trust::default(), tcp),
    }
}

pub(super) fn has_tls(url: &str) -> bool {
    url.starts_with("rediss:") || url.starts_with("valkeys:")
}

/// The same server as far as its settings go, at another address.
pub(super) fn at(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let addr = match info.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(addr)
}

/// Host and port; a socket has none.
pub(super) fn address(info: &ConnectionInfo) -> Option<(&str, u16)> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host, *port))
        }
        _ => None,
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
