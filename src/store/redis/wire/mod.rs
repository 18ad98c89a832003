//! One connection: where it leads, how it is opened, and when it is of no more use.

mod connection;
pub(crate) mod error;
mod master_term;
mod open;
mod server;
#[cfg(feature = "redis-rustls")]
pub(crate) mod tls;
#[cfg(not(feature = "redis-rustls"))]
#[path = "no_tls.rs"]
pub(crate) mod tls;
pub(crate) mod version;

pub(crate) use self::{
    connection::{Connection, State},
    master_term::MasterTerm,
    open::{Limit, OpenError, Opened, open},
    server::{Server, has_tls},
};
