use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, Write},
};

use crate::event::{Entry, Event, now};

/// What happens in this process, written down in a file that outlives it, a line at a time.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    /// The file that `JOURNAL` names.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let path = env::var("JOURNAL")?;
        let mut options = OpenOptions::new();
        Ok(Self(options.append(true).create(true).open(path)?))
    }

    /// Ends the process when it cannot be written: nothing may happen of which nobody knows.
    pub(crate) fn write(&self, event: Event) {
        if let Err(err) = self.append(event) {
            eprintln!("the journal cannot be written: {err}");
            std::process::exit(1);
        }
    }

    fn append(&self, event: Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Entry { at: now(), event })?;
        line.push(b'\n');
        // One call writes it whole or not at all, whenever the process is killed.
        match (&self.0).write(&line)? {
            written if written == line.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}
