//! All integration tests, one module per behaviour. `tests/run` runs them.

mod conformance;
mod lock;
mod support;
