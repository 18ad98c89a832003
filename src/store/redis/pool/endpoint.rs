use std::fmt;

use crate::store::redis::{
    sentinel::Sentinel,
    wire::{Connection, Limit, MasterTerm, OpenError, Server},
};

/// Where connections lead. Asked whenever one is opened.
#[derive(Clone)]
pub(crate) enum Endpoint {
    /// To one server, wherever its name leads at the time.
    Server(Server),
    /// To the master that Sentinel names at the time.
    Sentinel(Sentinel),
}

impl Endpoint {
    pub(crate) async fn server(&self, limit: Limit) -> Result<(Server, MasterTerm), OpenError> {
        match self {
            Self::Server(server) => Ok((server.clone(), MasterTerm::endless())),
            Self::Sentinel(sentinel) => sentinel.master(limit).await,
        }
    }

    /// Fails when the connection has led to the wrong place.
    pub(crate) async fn confirm(
        &self,
        connection: &mut Connection,
        limit: Limit,
    ) -> Result<(), OpenError> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Sentinel(_) => Sentinel::confirm(connection, limit).await,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(server) => server.fmt(f),
            Self::Sentinel(sentinel) => sentinel.fmt(f),
        }
    }
}
