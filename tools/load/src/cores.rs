use std::{fs, process::Command, str::FromStr, time::Duration};

use anyhow::{Context, Error, Result};

use crate::cpu::ticks;

/// A core of the machine, and what runs on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core(u32);

/// The cores that a comparison uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    /// The server under test has it for itself.
    pub(crate) server: Core,
    /// wrk and Redis share it.
    pub(crate) load: Core,
}

impl Cores {
    pub(crate) const FIRST_TWO: Self = Self {
        server: Core(0),
        load: Core(1),
    };
}

impl FromStr for Cores {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (server, load) = text.split_once(',').context("two cores, such as 0,1")?;
        Ok(Self {
            server: Core(server.parse()?),
            load: Core(load.parse()?),
        })
    }
}

impl Core {
    /// A program that will run here. `taskset` becomes the program, so its process is the program's.
    pub(crate) fn command(self, program: &str) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &self.0.to_string(), program]);
        command
    }

    /// For how long this core has not been idle, whoever used it.
    pub(crate) fn busy(self) -> Result<Duration> {
        let stat = fs::read_to_string("/proc/stat")?;
        let name = format!("cpu{} ", self.0);
        let times = stat.lines().find_map(|line| line.strip_prefix(&name));
        let times = times.with_context(|| format!("there is no core {}", self.0))?;
        let times: Vec<u64> = times
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user and nice.
        let of = |places: &[usize]| -> u64 { places.iter().filter_map(|n| times.get(*n)).sum() };
        Ok(ticks(of(&[0, 1, 2, 5, 6, 7])))
    }
}
