//! The examples, run as their users run them.

mod client;
mod payments_chaos;
mod payments_postgres;
mod quickstart;
mod servers;
