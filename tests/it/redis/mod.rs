//! Redis in all its forms.

mod check;
mod cluster;
#[cfg(feature = "redis-rustls")]
mod connection_errors;
mod inspect;
mod odd_replies;
mod races;
mod rights;
mod round_trips;
mod sentinel;
#[cfg(feature = "redis-rustls")]
mod tls;
mod wake_ups;
