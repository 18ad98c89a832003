use std::sync::{Mutex, Once};

use log::kv::{Error, Key, Value, VisitSource};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static INSTALL: Once = Once::new();

struct Collector;

impl log::Log for Collector {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("actix_web_idempotency")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut line = format!("{} {}", record.level(), record.args());
            record.key_values().visit(&mut Fields(&mut line)).unwrap();
            push(line);
        }
    }

    fn flush(&self) {}
}

/// Writes the fields of a line behind it.
struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        *self.0 += &format!(" {key}={value}");
        Ok(())
    }
}

/// Adds a line that arrived in another way.
pub(crate) fn push(line: String) {
    LINES.lock().unwrap().push(line);
}

/// Collects the crate's log lines from now on, of all tests of this process.
pub(crate) fn collect() {
    INSTALL.call_once(|| {
        log::set_logger(&Collector).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
}

/// The lines that contain a text, which had better be unique to the test.
pub(crate) fn lines_with(text: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    lines
        .iter()
        .filter(|line| line.contains(text))
        .cloned()
        .collect()
}
