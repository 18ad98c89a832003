//! Redis in all its forms.

mod check;
mod cluster;
mod connection_errors;
mod inspect;
mod odd_replies;
mod races;
mod rights;
mod round_trips;
mod sentinel;
mod tls;
mod wake_ups;
