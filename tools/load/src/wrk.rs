use std::{
    collections::HashMap,
    io::Read,
    process::{Child, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{cores::Core, cpu::cpu_of_children, interrupt::Interrupt};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wrk.lua");

/// What wrk is to do.
#[derive(Debug)]
pub(crate) struct Wrk<'a> {
    /// The server's, without a path.
    pub(crate) url: &'a str,
    /// With places for its number.
    pub(crate) request: &'a str,
    pub(crate) start: u64,
    /// How many requests in a row have the same number; 0 for all of them.
    pub(crate) share: u32,
    pub(crate) connections: u32,
    pub(crate) seconds: u32,
    /// The pattern of every answer's body, as Lua writes patterns.
    pub(crate) expected: Option<&'a str>,
}

/// What wrk has counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    pub(crate) bytes: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Processor time that it took itself.
    pub(crate) cpu: Duration,
}

impl Wrk<'_> {
    /// Runs to the end.
    ///
    /// # Errors
    ///
    /// When anything was wrong: a status, a body, a socket.
    pub(crate) fn run(&self, core: Core, interrupt: &Interrupt) -> Result<Tally> {
        let before = cpu_of_children()?;
        let mut command = core.command("wrk");
        command
            .args(["-t1", "--timeout", "5s", "-s", SCRIPT])
            .arg(format!("-c{}", self.connections))
            .arg(format!("-d{}s", self.seconds))
            .args([self.url, "--", self.request])
            .args([self.start.to_string(), self.share.to_string()])
            .args(self.expected)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut wrk = Running(command.spawn().context("wrk does not start")?);
        let limit = Duration::from_secs(u64::from(self.seconds) + 20);
        let ended = interrupt.poll("wrk ends", limit, || Ok(wrk.0.try_wait()?))?;
        let mut said = String::new();
        if let Some(stdout) = &mut wrk.0.stdout {
            stdout.read_to_string(&mut said)?;
        }
        ensure!(ended.success(), "wrk ended with {ended}");
        Tally::read(&said, cpu_of_children()?.saturating_sub(before))
    }
}

impl Tally {
    fn read(said: &str, cpu: Duration) -> Result<Self> {
        let line = said.lines().find_map(|line| line.strip_prefix("tally "));
        let counts: HashMap<&str, u64> = (line.with_context(|| format!("wrk said {said}"))?)
            .split(' ')
            .filter_map(|word| word.split_once('='))
            .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
            .collect();
        let count = |name| counts.get(name).copied().context(name);
        for name in ["wrong", "status", "socket", "timeout"] {
            let wrong = count(name)?;
            ensure!(wrong == 0, "{wrong} answers are wrong ({name})");
        }
        ensure!(count("requests")? > 0, "nothing was answered");
        Ok(Self {
            requests: count("requests")?,
            time: Duration::from_micros(count("micros")?),
            bytes: count("bytes")?,
            p50: Duration::from_micros(count("p50")?),
            p99: Duration::from_micros(count("p99")?),
            cpu,
        })
    }

    /// Requests in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }
}

/// Ends when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
