//! What the middlewares cannot do without, written by hand, and nothing else.

pub(super) mod memory;
pub(super) mod postgres;
pub(super) mod redis;
pub(super) mod sqlite;
