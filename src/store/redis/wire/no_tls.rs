use std::io;

use tokio::net::TcpStream;

use crate::config::ConfigError;

/// Without TLS there is nobody to trust.
pub(crate) type Trust = ();

pub(crate) fn is_given((): &Trust) -> bool {
    false
}

/// There is none.
#[derive(Clone)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn new((): &Trust) -> Result<Self, ConfigError> {
        Err(ConfigError::new(
            "a rediss:// URL needs the feature `redis-rustls` of actix-web-idempotency",
        ))
    }

    #[allow(clippy::unused_async, reason = "as with TLS")]
    pub(crate) async fn shake_hands(&self, _host: &str, _tcp: TcpStream) -> io::Result<TcpStream> {
        match *self {}
    }
}
