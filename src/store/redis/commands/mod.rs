//! What is sent to Redis: a call, several at once, a script, a scan, and what becomes of one whose connection
//! is lost.

mod backend;
mod call;
mod pipeline;
mod scan;
pub(crate) mod script;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

pub(crate) use self::{
    backend::Backend,
    call::{IfLost, ServerReply},
};
use crate::store::redis::pool::CallLimit;

/// Sends commands to wherever the keys are, so many at once and for so long at most.
pub(crate) struct Commands {
    source: Backend,
    timeout: Duration,
    call_limit: Arc<CallLimit>,
}

impl Commands {
    pub(crate) fn new(source: Backend, timeout: Duration, most_in_flight: usize) -> Self {
        Self {
            source,
            timeout,
            call_limit: Arc::new(CallLimit::new(most_in_flight)),
        }
    }

    pub(crate) fn source(&self) -> &Backend {
        &self.source
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// By when an operation that begins now has to end, however many steps it takes.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }
}
