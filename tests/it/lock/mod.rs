//! `ApiLock`.

mod contract;
mod pressure;
mod shutdown;
