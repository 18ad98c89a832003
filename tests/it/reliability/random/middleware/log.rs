use std::sync::{Arc, Mutex};

use tokio::time::Instant;

/// What has happened, line by line, for whoever has to find out why it went wrong.
#[derive(Clone, Debug)]
pub(super) struct Log {
    start: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            lines: Arc::default(),
        }
    }

    pub(super) fn say(&self, what: &str) {
        let line = format!("{:>9.3} {what}", self.start.elapsed().as_secs_f64());
        self.lines.lock().unwrap().push(line);
    }

    pub(super) fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}
