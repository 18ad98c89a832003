//! The examples, run as their users run them.

mod client;
mod payments_chaos;
mod payments_postgres;
mod payments_sqlite;
mod quickstart;
mod servers;
