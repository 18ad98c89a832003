use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::interrupt::Interrupt;

/// A program that serves. It ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// What it complains about.
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let stdout = child.stdout.take().context("a pipe was asked for")?;
        let (tell, lines) = mpsc::channel();
        // In a thread, because a read of a pipe has no time limit. It ends with the program.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Ok(Self {
            child,
            lines,
            log: log.to_owned(),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&self, interrupt: &Interrupt) -> Result<String> {
        interrupt.poll(
            "a server says where it is",
            Duration::from_secs(10),
            || match self.lines.try_recv() {
                Ok(line) => Ok(Some(line)),
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => bail!("it has ended: {}", self.complaints()),
            },
        )
    }

    /// Its last words, for a message.
    pub(crate) fn complaints(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.len().saturating_sub(5);
        lines[last..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
