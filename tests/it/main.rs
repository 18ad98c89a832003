//! All integration tests, one module per behaviour. `tests/run` runs them.

mod body;
mod conformance;
mod lock;
mod pressure;
mod support;
