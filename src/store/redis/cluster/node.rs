use std::{fmt, time::Duration};

use crate::store::redis::{
    notify::WakeUps,
    pool::{Endpoint, PerRuntime},
    wire::Server,
};

/// One server of a cluster.
pub(crate) struct Node {
    pub(crate) address: Address,
    pub(crate) connections: PerRuntime,
    pub(crate) wake_ups: WakeUps,
}

impl Node {
    /// With the settings of another.
    pub(super) fn new(address: Address, like: &Server, limit: Duration) -> Self {
        let place = Endpoint::Server(like.at(address.host.clone(), address.port));
        Self {
            address,
            wake_ups: WakeUps::new(place.clone(), limit),
            connections: PerRuntime::new(place, limit),
        }
    }
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl Address {
    pub(super) fn new(host: impl Into<String>, port: u16) -> Self {
        let host = host.into();
        Self { host, port }
    }

    /// Reads `host:port`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Some(Self::new(host, port.parse().ok()?))
    }

    /// The same as a node says it. One that does not know its own name leaves it out, and means
    /// the one under which it has been asked.
    pub(super) fn parse(text: &str, asked: &Self) -> Option<Self> {
        let Self { host, port } = Self::read(text)?;
        Some(Self::told(&host, port, asked))
    }

    /// The same from its parts.
    pub(super) fn told(host: &str, port: u16, asked: &Self) -> Self {
        match host {
            "" | "?" => Self::new(asked.host.clone(), port),
            host => Self::new(host, port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_host_is_where_it_was_asked() {
        let asked = Address::new("a", 1);
        let parse = |text| Address::parse(text, &asked);
        assert_eq!(parse("b:2"), Some(Address::new("b", 2)));
        assert_eq!(parse("::1:2"), Some(Address::new("::1", 2)));
        assert_eq!(parse(":2"), Some(Address::new("a", 2)));
        assert_eq!(parse("?:2"), Some(Address::new("a", 2)));
        assert_eq!(parse("b"), None);
        assert_eq!(parse("b:x"), None);
    }
}
