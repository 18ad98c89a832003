//! What is sent to Redis: a call, several at once, a script, and what becomes of one whose connection is
//! lost.

mod call;
mod pipeline;
pub(crate) mod script;

pub(crate) use self::call::{IfLost, Reply};
