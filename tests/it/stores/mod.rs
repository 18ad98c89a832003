//! The contract of a store, and what is true of one store alone.

mod broken_stores;
mod conformance;
mod formats;
mod full_memory;
mod memory_warnings;
