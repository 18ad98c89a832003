//! All integration tests, one module per behaviour. `tests/run` runs them.

mod body;
mod conformance;
mod faults;
mod lock;
mod pressure;
mod quickstart;
mod shutdown;
mod support;
mod tls;
