use serde::Serialize;

use crate::{request::Request, tally::Tally};

/// What the page is told while a run goes on, one line of JSON each. Times are milliseconds since
/// the run began.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event {
    Run {
        run: u64,
        key: String,
    },
    Sent {
        request: usize,
        at: u64,
    },
    Answered {
        request: usize,
        at: u64,
        status: u16,
        headers: Vec<(String, String)>,
        /// Its beginning.
        body: String,
    },
    /// The connection ended without an answer.
    Broken {
        request: usize,
        at: u64,
    },
    Left {
        request: usize,
        at: u64,
    },
    /// What the server has seen, when nothing runs any more.
    End {
        requests: Vec<Request>,
        tally: Tally,
    },
}
